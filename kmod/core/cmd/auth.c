// SPDX-License-Identifier: GPL-2.0
/*
 * Saying who one is. A session that must begins with a protocol in which nothing else can be said
 * (kmc_text_locked, kmc_binary_locked), and gets the whole protocol here, and only here.
 */
#include "command.h"
#include "../auth.h"

#define KMC_MECHANISM_MAX	32	/* 1.6.45, MAX_SASL_MECH_LEN */

/* @open: what is spoken by who may come in. */
static enum kmc_result kmc_auth_judge(struct kmc_session *s, struct kmc_turn *turn, bool known,
				      const struct kmc_protocol_ops *open)
{
	kmc_count(kmc_session_stats(s), auth_cmds);
	if (known)
		s->protocol = open;
	else
		kmc_count(kmc_session_stats(s), auth_errors);
	return kmc_say(s, turn, known ? KMC_ANSWER_AUTHENTICATED : KMC_ANSWER_AUTH_FAILED);
}

/* "<user> <password>\r\n" */
static enum kmc_result kmc_auth_token(struct kmc_session *s, struct kmc_turn *turn)
{
	const u8 *token = s->req.args, *blank;
	u32 len = s->req.nargs - 2, nuser;

	if (memcmp(token + len, "\r\n", 2))
		return kmc_say(s, turn, KMC_ANSWER_AUTH_BAD_END);
	blank = memchr(token, ' ', len);
	if (!blank)
		return kmc_say(s, turn, KMC_ANSWER_AUTH_BAD_TOKEN);
	nuser = blank - token;
	return kmc_auth_judge(s, turn, kmc_auth_check(s->core, token, nuser, blank + 1, len - nuser - 1),
			      &kmc_text);
}

/* The last two bytes, in @s->tail. */
static void kmc_auth_tail(struct kmc_session *s, const u8 *data, size_t len)
{
	if (len == 1)
		s->tail[0] = s->tail[1];
	else
		s->tail[0] = data[len - 2];
	s->tail[1] = data[len - 1];
}

/* A token that is too long to be anybody's: only its form is looked at while it goes by. */
static enum kmc_result kmc_auth_pass_by(struct kmc_session *s, struct kmc_turn *turn)
{
	while (s->left) {
		const u8 *data;
		size_t len;

		data = kmc_window(s, turn, &len);
		if (!len)
			return kmc_wait(turn, KMC_NEED_INPUT);
		if (!turn->budget->bytes)
			return kmc_wait(turn, KMC_NEED_TURN);
		len = min_t(size_t, len, min(s->left, turn->budget->bytes));
		s->any_key |= memchr(data, ' ', len) != NULL;
		kmc_auth_tail(s, data, len);
		kmc_take(s, turn, len);
		s->left -= len;
	}
	return kmc_reply_fits(turn->reply, KMC_LINE_MAX) ? KMC_DONE : kmc_wait(turn, KMC_NEED_SEND);
}

enum kmc_result kmc_auth_token_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_result result;
	bool blank;

	if (s->req.nargs)
		return kmc_auth_token(s, turn);
	if (s->phase == KMC_PHASE_BEGIN) {
		s->phase = KMC_PHASE_SWALLOW;
		s->left = s->req.nbytes;
		s->any_key = false;
	}
	result = kmc_auth_pass_by(s, turn);
	if (result != KMC_DONE)
		return result;
	blank = s->any_key;
	s->any_key = false;
	if (memcmp(s->tail, "\r\n", 2))
		return kmc_say(s, turn, KMC_ANSWER_AUTH_BAD_END);
	if (!blank)
		return kmc_say(s, turn, KMC_ANSWER_AUTH_BAD_TOKEN);
	return kmc_auth_judge(s, turn, false, NULL);
}

/* Whoever begins anew is nobody until that has ended well: so 1.6.45, for the list of mechanisms, too. */
static void kmc_auth_forget(struct kmc_session *s)
{
	s->protocol = &kmc_binary_locked;
}

enum kmc_result kmc_auth_mechanisms_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	if (s->core->settings.auth != KMC_AUTH_SASL)
		return kmc_say(s, turn, KMC_ANSWER_UNKNOWN);
	kmc_auth_forget(s);
	return kmc_say(s, turn, KMC_ANSWER_AUTH_MECHANISMS);
}

/*
 * PLAIN (RFC 4616): [authzid] NUL authcid NUL password. Nobody may act for somebody else: authzid is left out or the
 * same.
 */
static bool kmc_auth_plain(struct kmc_session *s)
{
	const u8 *token = s->req.args, *end = token + s->req.nargs;
	const u8 *user, *password;

	user = s->req.nargs ? memchr(token, 0, end - token) : NULL;
	password = user ? memchr(user + 1, 0, end - user - 1) : NULL;
	if (!password || memchr(password + 1, 0, end - password - 1))
		return false;
	user++;
	if (user - 1 != token && (user - 1 - token != password - user || memcmp(token, user, password - user)))
		return false;
	return kmc_auth_check(s->core, user, password - user, password + 1, end - password - 1);
}

static bool kmc_auth_is_plain(const struct kmc_request *req)
{
	static const char plain[] = "PLAIN";
	u32 i;

	for (i = 0; i < req->nkey && i < sizeof(plain) - 1; i++)
		if ((req->key[i] & ~0x20) != plain[i])
			return false;
	return req->nkey == sizeof(plain) - 1;
}

static enum kmc_result kmc_auth_sasl(struct kmc_session *s, struct kmc_turn *turn)
{
	bool step = s->req.op == KMC_OP_AUTH_STEP, may = step ? s->challenged : kmc_auth_is_plain(&s->req);

	kmc_auth_forget(s);
	s->challenged = may && !step && !s->req.nargs;
	if (s->challenged)
		return kmc_say(s, turn, KMC_ANSWER_AUTH_CONTINUE);
	return kmc_auth_judge(s, turn, may && kmc_auth_plain(s), &kmc_binary);
}

/* The value is not read: @answer, and it is thrown away. */
static enum kmc_result kmc_auth_refuse(struct kmc_session *s, struct kmc_turn *turn, enum kmc_answer answer)
{
	s->phase = KMC_PHASE_SWALLOW;
	s->left = s->req.nbytes;
	return kmc_say(s, turn, answer);
}

enum kmc_result kmc_auth_sasl_execute(struct kmc_session *s, struct kmc_turn *turn)
{
	enum kmc_result result;

	if (s->phase == KMC_PHASE_BEGIN) {
		if (s->core->settings.auth != KMC_AUTH_SASL)
			kmc_auth_refuse(s, turn, KMC_ANSWER_UNKNOWN);
		else if (s->req.nkey > KMC_MECHANISM_MAX)
			kmc_auth_refuse(s, turn, KMC_ANSWER_BAD_FORMAT);
		else if (!s->req.nbytes)
			return kmc_auth_sasl(s, turn);
		else
			s->phase = KMC_PHASE_SKIP;
		s->left = s->req.nbytes;
	}
	if (s->phase == KMC_PHASE_SWALLOW)
		return kmc_swallow(s, turn);
	/* Nobody's: too long. */
	result = kmc_auth_pass_by(s, turn);
	if (result != KMC_DONE)
		return result;
	s->any_key = false;
	kmc_auth_forget(s);
	s->challenged = false;
	return kmc_auth_judge(s, turn, false, NULL);
}
