// SPDX-License-Identifier: GPL-2.0
/*
 * Conversations in meta commands, with the bytes that memcached's protocol.txt asks for and, where that is
 * silent, 1.6.45 sends. The first CAS value of a cache is 2.
 */
#include "test.h"
#include "conversation.h"

#define INVALID		"CLIENT_ERROR invalid flag\r\n"
#define DUPLICATE	"CLIENT_ERROR duplicate flag\r\n"
#define TOKEN		"CLIENT_ERROR bad token in command line format\r\n"
#define LONG		"CLIENT_ERROR options flags are too long\r\n"
#define DECODE		"CLIENT_ERROR error decoding key\r\n"
#define OPAQUE		"CLIENT_ERROR opaque token too long\r\n"
#define ARITH		"CLIENT_ERROR invalid or duplicate flag\r\n"
#define O31		"1234567890123456789012345678901"

static const struct conversation gets[] = {
	TALK("mg miss", "mg a\r\nmg a v\r\nmg a v k Oq s\r\nmg a q\r\nmn\r\n", "EN\r\nEN\r\nEN ka Oq\r\nMN\r\n"),
	TALK("mg hit", "ms a 2\r\nhi\r\nmg a\r\nmg a v\r\nmg a q\r\n", "HD\r\nHD\r\nVA 2\r\nhi\r\nHD\r\n"),
	TALK("mg flags in the order asked for", "ms a 2 F7\r\nhi\r\nmg a s t f c k Oxyz v\r\nmg a Oxyz k c f t v s\r\n",
	     "HD\r\nVA 2 s2 t-1 f7 c2 ka Oxyz\r\nhi\r\nVA 2 Oxyz ka c2 f7 t-1 s2\r\nhi\r\n"),
	TALK("mg of an empty value", "ms a 0\r\n\r\nmg a v s\r\n", "HD\r\nVA 0 s0\r\n\r\n"),
	TALK("mg flags of a value set by set", "set a 4294967295 100 2\r\nhi\r\nmg a f t s v\r\n",
	     "STORED\r\nVA 2 f4294967295 t100 s2\r\nhi\r\n"),
	TALK("mg C", "ms a 2\r\nhi\r\nmg a C2 v c\r\nmg a C3 v c\r\nmg a v C2 s T0\r\nmg a C0 v\r\n",
	     "HD\r\nHD c2\r\nVA 2 c2\r\nhi\r\nHD s2\r\nVA 2\r\nhi\r\n"),
	TALK("mg h", "ms a 1\r\n1\r\nmg a h\r\nmg a h\r\n", "HD\r\nHD h0\r\nHD h1\r\n"),
	TALK("mg u", "ms a 1\r\n1\r\nmg a u h\r\nmg a h\r\nmg a u h\r\n", "HD\r\nHD h0\r\nHD h0\r\nHD h1\r\n"),
	TALK("mg l", "ms a 1\r\n1\r\nmg a l\r\n", "HD\r\nHD l0\r\n"),
	TALK("mg T", "ms a 1 T10\r\n1\r\nmg a t T20\r\nmg a T30 t\r\nmg a t\r\nmg a T0 t\r\nmg a t\r\n",
	     "HD\r\nHD t10\r\nHD t30\r\nHD t30\r\nHD t-1\r\nHD t-1\r\n"),
	TALK("mg T of the past", "ms a 1\r\n1\r\nmg a T-1 v\r\nmg a\r\nmg b T10\r\n", "HD\r\nVA 1\r\n1\r\nEN\r\nEN\r\n"),
	TALK("mg E changes nothing that is there", "ms a 1\r\n1\r\nmg a E5 c\r\nmg a c\r\n", "HD\r\nHD c2\r\nHD c2\r\n"),
	TALK("mg N", "mg a N30 t c s v\r\nmg a t N60 v\r\nmg a\r\n",
	     "VA 0 t30 c2 s0 W\r\n\r\nVA 0 t30 Z\r\n\r\nHD Z\r\n"),
	TALK("mg N with t before it", "mg a t N30 k\r\nmg a t\r\n", "HD t-1 ka W\r\nHD t30 Z\r\n"),
	TALK("mg N and T", "mg a N30 t T60 t0\r\nmg a N30 T60 t\r\nmg a T60 N30\r\nmg b T60 N30 t\r\nmg b t\r\n",
	     DUPLICATE "HD t60 W\r\nHD Z\r\nHD t30 W\r\nHD t30 Z\r\n"),
	TALK("mg N0", "mg a N0 t\r\nmg a t\r\n", "HD t-1 W\r\nHD t-1 Z\r\n"),
	TALK("mg N E", "mg a N0 E77 c\r\nmg a c\r\nmg b N0 E0 c\r\n", "HD c77 W\r\nHD c77 Z\r\nHD c0 W\r\n"),
	TALK("mg N h", "mg a N0 h\r\nmg a h\r\nmg b N0 h u\r\nmg b h\r\n",
	     "HD h0 W\r\nHD h1 Z\r\nHD h0 W\r\nHD h0 Z\r\n"),
	TALK("mg N q is a hit", "mg a N30 q\r\nmn\r\n", "HD W\r\nMN\r\n"),
	TALK("mg N of an item that is there", "ms a 1\r\n1\r\nmg a N30 v t\r\n", "HD\r\nVA 1 t-1\r\n1\r\n"),
	TALK("mg N, then ms", "mg a N30\r\nms a 1\r\n1\r\nmg a v\r\n", "HD W\r\nHD\r\nVA 1\r\n1\r\n"),
	TALK("mg R", "ms a 1 T30\r\n1\r\nmg a R30 t\r\nmg a R31 t v\r\nmg a R31\r\nmg a\r\n",
	     "HD\r\nHD t30\r\nVA 1 t30 W\r\n1\r\nHD Z\r\nHD Z\r\n"),
	TALK("mg R of an item without a deadline", "ms a 1\r\n1\r\nmg a R100\r\nmg a R0\r\n", "HD\r\nHD\r\nHD\r\n"),
	TALK("mg R and T in both orders", "ms a 1 T30\r\n1\r\nmg a T100 R50 t\r\nmg a R50 T20 t\r\nmg a R30 T200 t\r\n",
	     "HD\r\nHD t100\r\nHD t20\r\nHD t200 W\r\n"),
	TALK("mg R on a miss", "mg a R10 N30\r\nmg b R10\r\n", "HD W\r\nEN\r\n"),
	TALK("mg of a stale item", "ms a 1\r\n1\r\nmd a I\r\nmg a v\r\nmg a v\r\nmd a I\r\nmg a\r\n",
	     "HD\r\nHD\r\nVA 1 X W\r\n1\r\nVA 1 Z X\r\n1\r\nHD\r\nHD X W\r\n"),
	TALK("mg b", "ms YWJj 1 b\r\n1\r\nget abc\r\nmg YWJj b k v\r\nmg abc k\r\nmg YWJj\r\nmg YWJk b k O1\r\n",
	     "HD\r\nVALUE abc 0 1\r\n1\r\nEND\r\nVA 1 kYWJj b\r\n1\r\nHD kYWJj b\r\nEN\r\nEN kYWJk b O1\r\n"),
	TALK("mg b of a key that was stored as it is", "set abc 0 0 1\r\n1\r\nmg YWJj b k\r\n", "STORED\r\nHD kabc\r\n"),
	TALK("keys of any byte", "ms AA0KIA== 1 b\r\n1\r\nmg AA0KIA== b k v\r\nma AA0KIA== b v k\r\n"
	     "ms AA0KIA== 1 b MA k s\r\n2\r\nmg k AA\r\nmg AA0KIA== b k v\r\nmd AA0KIA== b k x\r\nmg AA0KIA== b k\r\n"
	     "md AA0KIA== b k\r\nmg AA0KIA== b N0 k\r\nmg AA0KIA== b k\r\n",
	     "HD\r\nVA 1 kAA0KIA== b\r\n1\r\nVA 1 kAA0KIA== b\r\n2\r\nHD kAA0KIA== b s2\r\n" INVALID
	     "VA 2 kAA0KIA== b\r\n22\r\nHD kAA0KIA== b\r\nHD kAA0KIA== b\r\nHD kAA0KIA== b\r\n"
	     "HD kAA0KIA== b W\r\nHD kAA0KIA== b Z\r\n"),
	TALK("keys of ma and md in base64", "ma YQ== b N0 J5 v\r\nmg YQ== b k v\r\nmd YQ== b\r\nmg YQ== b\r\n",
	     "VA 1\r\n5\r\nVA 1 kYQ== b\r\n5\r\nHD\r\nEN\r\n"),
	TALK("flags that other commands know are ignored", "ms a 1\r\n1\r\nmg a I x F1 D1 J1 MZ P L1 v\r\n",
	     "HD\r\nVA 1\r\n1\r\n"),
	TALK("what stands behind a letter without argument", "ms a 1\r\n1\r\nmg a vvv sxx kk\r\n",
	     "HD\r\nVA 1 s1 ka\r\n1\r\n"),
	TALK("bare newlines and blanks", "ms  a  1  T0 \n1\r\nmg  a   v  \nmn\r\n", "HD\r\nVA 1\r\n1\r\nMN\r\n"),
	TALK("opaque", "mg a O\r\nmg a O" O31 "\r\nmg a O" O31 "2\r\n", "EN O\r\nEN O" O31 "\r\n" OPAQUE),
	TALK("mg of a key of 250 bytes", "ms " K250 " 1\r\n1\r\nmg " K250 " k v\r\nmg " K250 "k v\r\n",
	     "HD\r\nVA 1 k" K250 "\r\n1\r\n" BAD),
	TALK("mg with all flags", "ms " K250 " 1 F4294967295 E18446744073709551615 T1000\r\n1\r\n"
	     "mg " K250 " s t c f l h O" O31 " k v R2000 T3000 q u N5 E6 C7\r\n",
	     "HD\r\nVA 1 s1 t1000 c18446744073709551615 f4294967295 l0 h0 O" O31 " k" K250 " W\r\n1\r\n"),
	TALK("mn", "mn\r\nmn \r\nmn what ever {\r\n", "MN\r\nMN\r\nMN\r\n"),
	TALK("mixed with text", "set a 1 0 1\r\n1\r\nmg a v\r\nget a\r\nms a 1\r\n2\r\nincr a 1\r\nma a v\r\nget a\r\n",
	     "STORED\r\nVA 1\r\n1\r\nVALUE a 1 1\r\n1\r\nEND\r\nHD\r\n3\r\nVA 1\r\n4\r\nVALUE a 0 1\r\n4\r\nEND\r\n"),
};

static const struct conversation sets[] = {
	TALK("ms flags", "ms a 2 c k s Oq\r\nhi\r\nms a 2 Oq s k c F1 T1 I L P b0 b\r\n", "HD c2 ka s2 Oq\r\n" DUPLICATE),
	TALK("ms q", "ms a 2 q\r\nhi\r\nms a 2 q ME\r\nhi\r\nms a 2 q C9 k\r\nhi\r\nms b 2 q C9\r\nhi\r\nmn\r\n",
	     "NS\r\nEX ka\r\nNF\r\nMN\r\n"),
	TALK("ms C", "ms a 1\r\n1\r\nms a 1 C3 c\r\n2\r\nms a 1 C2 c\r\n3\r\nms a 1 C0\r\n4\r\nms b 1 C1 c k s O1\r\n5\r\nmg a v\r\n",
	     "HD\r\nEX c0\r\nHD c3\r\nEX\r\nNF c0 kb s1 O1\r\nVA 1\r\n3\r\n"),
	TALK("ms E", "ms a 1 E100 c\r\n1\r\nms a 1 C100 E50 c\r\n2\r\nmg a c\r\nms a 1 E0 c\r\n3\r\n",
	     "HD c100\r\nHD c50\r\nHD c50\r\nHD c2\r\n"),
	TALK("ms ME", "ms a 1 ME\r\n1\r\nms a 2 ME c s\r\n22\r\nms a 2 ME C2\r\n22\r\nmg a v\r\n",
	     "HD\r\nNS c0 s2\r\nNS\r\nVA 1\r\n1\r\n"),
	TALK("ms MR", "ms a 1 MR\r\n1\r\nms a 1\r\n2\r\nms a 1 MR\r\n3\r\nms a 1 MR C9\r\n4\r\nms a 1 MR C3\r\n5\r\nms b 1 MR C1\r\n6\r\nmg a v\r\n",
	     "NS\r\nHD\r\nHD\r\nEX\r\nHD\r\nNF\r\nVA 1\r\n5\r\n"),
	TALK("ms MA and MP", "ms a 1 MA\r\n1\r\nms a 1 MP\r\n1\r\nms a 1 F3 T9\r\n2\r\nms a 2 MA s c\r\n34\r\nms a 1 MP s T99 F1\r\n1\r\nmg a v t f\r\n",
	     "NS\r\nNS\r\nHD\r\nHD s3 c3\r\nHD s4\r\nVA 4 t9 f3\r\n1234\r\n"),
	TALK("ms MA with C", "ms a 1 MA C5\r\n1\r\nms a 1\r\n2\r\nms a 1 MA C5 s\r\n3\r\nms a 1 MA C2 s\r\n4\r\nms a 1 MP C0\r\n5\r\nmg a v\r\n",
	     "NS\r\nHD\r\nEX s1\r\nHD s2\r\nHD\r\nVA 3\r\n524\r\n"),
	TALK("ms MA and MP with N", "ms a 1 MA N30 T99 s c\r\n1\r\nmg a v t\r\nms a 1 MA N90 s\r\n2\r\nms b 1 MP N0 F7 C5 E9\r\n3\r\nmg a v t\r\nmg b v t f c\r\n",
	     "HD s1 c2\r\nVA 1 t30\r\n1\r\nHD s2\r\nHD\r\nVA 2 t30\r\n12\r\nVA 1 t-1 f7 c9\r\n3\r\n"),
	TALK("ms MA E", "ms a 1\r\n1\r\nms a 1 MA E55 c\r\n2\r\nmg a c v\r\n", "HD\r\nHD c55\r\nVA 2 c55\r\n12\r\n"),
	TALK("ms N without MA is no deadline", "ms a 1 N30\r\n1\r\nmg a t\r\n", "HD\r\nHD t-1\r\n"),
	TALK("ms MS, and modes of more than a letter", "ms a 1 MS\r\n1\r\nms a 1 MAppend\r\n2\r\nmg a v\r\n",
	     "HD\r\nHD\r\nVA 2\r\n12\r\n"),
	TALK("ms of a stale item", "ms a 1\r\n1\r\nmd a I T30\r\nms a 1 C1\r\n2\r\nms a 1 C1 I T90 c\r\n3\r\nmg a v t\r\n"
	     "ms a 1 C3 I\r\n4\r\nmg a v t\r\nms a 1 C9 I\r\n5\r\nms a 1 C0 I\r\n5\r\nms a 1 C5 T90\r\n6\r\nmg a v t\r\n",
	     "HD\r\nHD\r\nEX\r\nHD c4\r\nVA 1 t30 X W\r\n3\r\nHD\r\nVA 1 t30 Z X\r\n4\r\nEX\r\nEX\r\nHD\r\nVA 1 t90\r\n6\r\n"),
	TALK("ms I without C", "ms a 1 I\r\n1\r\nms a 1 I MA\r\n2\r\nmg a v\r\n", "HD\r\nHD\r\nVA 2\r\n12\r\n"),
	TALK("append makes an item fresh", "ms a 1\r\n1\r\nmd a I\r\nappend a 0 0 1\r\n2\r\nmg a v\r\n",
	     "HD\r\nHD\r\nSTORED\r\nVA 2\r\n12\r\n"),
	TALK("incr leaves it stale", "ms a 1\r\n1\r\nmd a I\r\nincr a 1\r\nmg a v\r\n", "HD\r\nHD\r\n2\r\nVA 1 X W\r\n2\r\n"),
	TALK("ms with a bad end", "ms a 1 q\r\n1xxmn\r\nmg a\r\n", "CLIENT_ERROR bad data chunk\r\n" "MN\r\nEN\r\n"),
	TALK("ms without a length", "ms a\r\nms a x\r\nms a -1\r\nms a 2147483646\r\nms\r\nms a T1\r\nmn\r\n",
	     BAD BAD BAD BAD BAD BAD "MN\r\n"),
	TALK("ms refused swallows its value",
	     "ms " K250 "k 2\r\nmn\r\nms a 2 z\r\nmn\r\nms a 2 c c\r\nmn\r\nms a 2 MZ\r\nmn\r\nms a 2 M\r\nmn\r\nms a 2 Tx\r\nmn\r\n"
	     "ms a 2 O" O31 "2\r\nmn\r\nms Y 2 b\r\nmn\r\nms a 2 Fx\r\nmn\r\nms a 2 F4294967296\r\nmn\r\nmg a\r\n",
	     BAD INVALID DUPLICATE "CLIENT_ERROR invalid mode for ms M token\r\n" "CLIENT_ERROR invalid mode for ms M token\r\n"
	     TOKEN OPAQUE DECODE BAD BAD "EN\r\n"),
};

static const struct conversation deletes[] = {
	TALK("md", "md a\r\nms a 1\r\n1\r\nmd a\r\nmg a\r\nmd a k Oq\r\n", "NF\r\nHD\r\nHD\r\nEN\r\nNF ka Oq\r\n"),
	TALK("md shows no other flags", "ms a 1\r\n1\r\nmd a c s t f v k h l\r\n", "HD\r\nHD ka\r\n"),
	TALK("md q", "ms a 1\r\n1\r\nmd a q C9\r\nmd a q\r\nmd a q\r\nmn\r\n", "HD\r\nEX\r\nNF\r\nMN\r\n"),
	TALK("md C", "ms a 1\r\n1\r\nmd a C3 O1\r\nmd a C0\r\nmd a C2\r\nmd a C2\r\n", "HD\r\nEX O1\r\nEX\r\nHD\r\nNF\r\n"),
	TALK("md I", "ms a 1 T50\r\n1\r\nmd a I\r\nmg a t c v\r\nmd a I T30 q\r\nmg a t c\r\nget a\r\n",
	     "HD\r\nHD\r\nVA 1 t50 c3 X W\r\n1\r\nHD t30 c4 X W\r\nVALUE a 0 1\r\n1\r\nEND\r\n"),
	TALK("md I E", "ms a 1\r\n1\r\nmd a I C2 E100\r\nmg a c\r\nmd a I E0\r\nmg a c\r\n",
	     "HD\r\nHD\r\nHD c100 X W\r\nHD\r\nHD c0 X W\r\n"),
	TALK("md T alone deletes", "ms a 1\r\n1\r\nmd a T30\r\nmg a\r\n", "HD\r\nHD\r\nEN\r\n"),
	TALK("md x", "ms a 1 T50 F3\r\n1\r\nmd a x\r\nmg a v t f c\r\nmd b x k\r\nmg b\r\n",
	     "HD\r\nHD\r\nVA 0 t-1 f0 c2\r\n\r\nNF kb\r\nEN\r\n"),
	TALK("md x with T, F, E, C", "ms a 1\r\n1\r\nmd a x C3\r\nmg a v\r\nmd a x T30 F7 E9\r\nmg a v t f c\r\n",
	     "HD\r\nEX\r\nVA 1\r\n1\r\nHD\r\nVA 0 t30 f7 c9\r\n\r\n"),
	TALK("md x I", "ms a 1\r\n1\r\nmd a x I T20\r\nmg a v t c\r\nmg a\r\n", "HD\r\nHD\r\nVA 0 t20 c3 X W\r\n\r\nHD Z X\r\n"),
	TALK("md errors", "md\r\nmd a z\r\nmd a k k\r\nmd a Cx\r\nmd a O" O31 "2\r\nmd Y b\r\nmd a E\r\n",
	     BAD INVALID DUPLICATE TOKEN OPAQUE DECODE TOKEN),
	TALK("md of a malformed line leaves the item", "ms a 1\r\n1\r\nmd a O" O31 "2\r\nmg a\r\n", "HD\r\n" OPAQUE "HD\r\n"),
};

static const struct conversation ariths[] = {
	TALK("ma", "ma a\r\nma a k O1 v\r\nms a 1\r\n1\r\nma a\r\nma a v\r\nma a v D5\r\nma a v D0\r\n",
	     "NF\r\nNF ka O1\r\nHD\r\nHD\r\nVA 1\r\n3\r\nVA 1\r\n8\r\nVA 1\r\n8\r\n"),
	TALK("ma modes", "ms a 2\r\n10\r\nma a MI v\r\nma a M+ v\r\nma a MD v\r\nma a M- v D4\r\nma a MDecr v D100\r\nmg a v\r\n",
	     "HD\r\nVA 2\r\n11\r\nVA 2\r\n12\r\nVA 2\r\n11\r\nVA 1\r\n7\r\nVA 1\r\n0\r\nVA 2\r\n0 \r\n"),
	TALK("ma wraps", "ms a 20\r\n18446744073709551615\r\nma a v\r\nma a v MD\r\n", "HD\r\nVA 1\r\n0\r\nVA 1\r\n0\r\n"),
	TALK("ma flags", "ms a 1 T30\r\n1\r\nma a v t c k Oq s f h l\r\nma a c t\r\n", "HD\r\nVA 1 t30 c3 ka Oq\r\n2\r\nHD c4 t30\r\n"),
	TALK("ma T", "ms a 1\r\n9\r\nma a t T30\r\nma a T40 t\r\nmg a t v\r\n", "HD\r\nHD t-1\r\nHD t40\r\nVA 2 t40\r\n11\r\n"),
	TALK("ma C", "ms a 1\r\n1\r\nma a C3 v k\r\nma a C2 v c\r\nma a C0 v c\r\n", "HD\r\nEX ka\r\nVA 1 c3\r\n2\r\nVA 1 c4\r\n3\r\n"),
	TALK("ma E", "ms a 1\r\n8\r\nma a E99 c\r\nmg a c\r\nma a E7 c v\r\nmg a c v\r\n",
	     "HD\r\nHD c99\r\nHD c99\r\nVA 2 c7\r\n10\r\nVA 2 c7\r\n10\r\n"),
	TALK("ma N", "ma a N30 v t c\r\nma a N30 v\r\nma b N0 J13 v t k O1\r\nma c J13\r\nmg a t v\r\n",
	     "VA 1 t30 c2\r\n0\r\nVA 1\r\n1\r\nVA 2 t-1 kb O1\r\n13\r\nNF\r\nVA 1 t30\r\n1\r\n"),
	TALK("ma N with t before it, and T", "ma a t N30\r\nmg a t\r\nma b N30 T60 t\r\nmg b t\r\nma c T60 N30\r\nmg c t\r\nma d N0 E44 c MD\r\n",
	     "HD t-1\r\nHD t30\r\nHD t60\r\nHD t60\r\nHD\r\nHD t30\r\nHD c44\r\n"),
	TALK("ma q", "ma a q N0\r\nma a q v\r\nma b q\r\nma a q C99\r\nmn\r\nmg a v\r\n", "NF\r\nEX\r\nMN\r\nVA 1\r\n1\r\n"),
	TALK("ma of what is no number", "ms a 1\r\nx\r\nma a q\r\nma a C9\r\nms a 0\r\n\r\nma a C9\r\n",
	     "HD\r\nCLIENT_ERROR cannot increment or decrement non-numeric value\r\nEX\r\nHD\r\n"
	     "CLIENT_ERROR cannot increment or decrement non-numeric value\r\n"),
	TALK("ma errors", "ma\r\nma a z\r\nma a k k\r\nma a D-1\r\nma a Dx\r\nma a Jx\r\nma Y b\r\nma a MZ\r\nma a M\r\nma " K250 "k\r\n"
	     "ma a O" O31 "2\r\nma a 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1 1\r\nma a {\r\nma a D18446744073709551616\r\n",
	     BAD ARITH ARITH ARITH ARITH ARITH ARITH "CLIENT_ERROR invalid mode for ma M token\r\n"
	     "CLIENT_ERROR invalid mode for ma M token\r\n" ARITH OPAQUE ARITH BAD ARITH),
};

static const struct conversation errors[] = {
	TALK("no such meta command", "mx a\r\nmgg a\r\nm\r\nmm a\r\n mg a\r\n", "ERROR\r\nERROR\r\n" BAD "ERROR\r\nERROR\r\n"),
	TALK("lines that are too short", "mn\nmg\nmg\r\n", BAD BAD BAD),
	TALK("a flag that is none", "mg a z\r\nmg a o\r\nmg a 1\r\nmg a [\r\nmg a _\r\n", INVALID INVALID INVALID INVALID INVALID),
	TALK("a flag that cannot be one", "mg a {\r\nmg a v -\r\nmg a \377\r\nmg a v \t\r\nmg a ~ v v\r\nmg a \r\r\n", BAD BAD BAD BAD BAD BAD),
	TALK("a flag twice", "mg a v v\r\nmg a O1 O2\r\nmg a t T1 t\r\n", DUPLICATE DUPLICATE DUPLICATE),
	TALK("unknown and repeated flags come before bad arguments", "mg a Tx v v\r\nmg a Tx z\r\nmg a z v v\r\n", DUPLICATE INVALID INVALID),
	TALK("the last of several errors is said", "mg Y b Tx\r\nmg Y Tx b\r\nma a Jx Dx\r\nms a 1 Tx Fx\r\n1\r\nms a 1 Fx\r\n1\r\n",
	     TOKEN DECODE ARITH TOKEN BAD),
	TALK("bad arguments", "mg a T\r\nmg a Tx\r\nmg a T1x\r\nmg a T2147483648\r\nmg a N\r\nmg a Nx\r\nmg a R\r\nmg a R1.\r\nmg a C\r\nmg a C-1\r\nmg a E\r\nmg a Ex\r\n"
	     "mg a Jx\r\nmg a Dx\r\nmg a J\r\nmg a D\r\nmg a F\r\n",
	     TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN TOKEN
	     "CLIENT_ERROR invalid numeric initial value\r\n" "CLIENT_ERROR invalid numeric delta value\r\n"
	     "CLIENT_ERROR invalid numeric initial value\r\n" "CLIENT_ERROR invalid numeric delta value\r\n" BAD),
	TALK("eighteen flags", "mg a b c C1 D1 E1 f F1 h I J1 k l L1 M N1 O1 P1 q\r\nmg YQ== b c C1 D1 E1 f F1 h I J1 k l L1 M P1 O1 x s\r\n",
	     DECODE "EN kYQ== b O1\r\n"),
	TALK("nineteen words are too many flags", "mg a c f h k l L P s t u v x I q 1 2 3 4 5\r\nmg a v v v v v v v v v v v v v v v v v v v v v v v v v v v\r\n",
	     LONG LONG),
	TALK("ms has one flag less", "ms a 2 c f h k l L P s t u v x I q T1 F1 C0\r\nmn\r\nms a 2 c f h k l L P s t u v x I q T1 F1 E1 C0\r\nmn\r\nmn\r\n",
	     "NF c0 ka s2\r\n" LONG "MN\r\n"),
	TALK("a key that is no base64", "mg Y b\r\nmg YWJ b v\r\nmg ==== b\r\n", DECODE DECODE DECODE),
	TALK("errors are not silenced", "mg a q z\r\nms a 1 q z\r\n1\r\nmd a q z\r\nma a q z\r\n", INVALID INVALID INVALID ARITH),
	TALK("noreply means nothing", "mg a noreply\r\nmn noreply\r\n", INVALID "MN\r\n"),
	TALK("me", "me a\r\nme\r\nme " K250 "k\r\nme Y b\r\nme a {\r\nme a z z what\r\n", "EN\r\n" BAD BAD BAD BAD "EN\r\n"),
};

void test_meta(void)
{
	hold_conversations(gets, ARRAY_SIZE(gets));
	hold_conversations(sets, ARRAY_SIZE(sets));
	hold_conversations(deletes, ARRAY_SIZE(deletes));
	hold_conversations(ariths, ARRAY_SIZE(ariths));
	hold_conversations(errors, ARRAY_SIZE(errors));
}
