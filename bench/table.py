# SPDX-License-Identifier: MIT
"""From results to a table: Markdown for people, JSON for programs."""

from scenarios import KEY_SIZE, P50_AIM, P50_FLOOR, SCENARIOS


class Results:
    """What the guest told, gathered."""

    def __init__(self):
        self.guest = {}
        self.speed = {}     # (scenario, side) -> {"threads", "report"}, the best of a side's variants
        self.variants = []
        self.not_served = []
        self.memory = {}    # (items, value size, side) -> result
        self.idle = {}      # (transport, side) -> result
        self.complete = False

    def add(self, result):
        kind = result.pop("kind")
        if kind == "guest":
            self.guest = result
        elif kind == "speed":
            self.variants.append(result)
            place = result["scenario"], result["side"]
            best = self.speed.get(place)
            if not best or _rate(result) > _rate(best):
                self.speed[place] = result
        elif kind == "not served":
            self.not_served.append(result)
        elif kind == "memory":
            self.memory[result["items"], result["value_size"], result["side"]] = result
        elif kind == "idle":
            self.idle[result["transport"], result["side"]] = result
        elif kind == "end":
            self.complete = True

    def peer_name(self, side):
        return f"memcached {self.guest['peers'][side]}"

    def rows(self):
        """The rows that ours and a peer were measured in."""
        for number, scenario in enumerate(SCENARIOS):
            ours = self.speed.get((number, "ours"))
            peers = {side: self.speed[number, side] for side in self.guest["peers"] if (number, side) in self.speed}
            if peers and ours:
                yield {"title": scenario.title, "floor": scenario.floor, "aim": scenario.aim,
                       "ratios": {side: _rate(ours) / _rate(peer) for side, peer in peers.items()},
                       "p50_ratios": {side: ours["report"]["p50_us"] / peer["report"]["p50_us"]
                                      for side, peer in peers.items()},
                       "peer_threads": {side: peer["threads"] for side, peer in peers.items()},
                       "peers": {side: peer["report"] for side, peer in peers.items()}, "ours": ours["report"]}

    def absent(self, ours):
        """What a side does not know, in words, each once."""
        names = {f"{SCENARIOS[one['scenario']].title} by "
                 + (ours if one["side"] == "ours" else self.peer_name(one["side"])): None for one in self.not_served}
        return list(names)

    def document(self):
        """All of it, for JSON."""
        variants = [dict(one, scenario=SCENARIOS[one["scenario"]].title) for one in self.variants]
        return {"guest": self.guest, "rows": list(self.rows()), "variants": variants,
                "not_served": self.absent("ours"),
                "memory": list(self.memory.values()), "idle": list(self.idle.values())}


def _rate(result):
    return result["report"]["requests_per_second"]


def _line(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def markdown(results, settings):
    """One table of speed and one of memory, with what they were measured on."""
    ours = settings["ours"] or "kmemcache"
    names = " and ".join(results.peer_name(side) for side in results.guest["peers"])
    lines = [f"{names}, and {ours}, Linux {results.guest['kernel']}, {results.guest['cpus']} CPU(s), "
             + ("clock counts instructions" if settings["icount"] else f"median of {settings['repeats']} runs")
             + f"; {KEY_SIZE}-byte keys, 32-byte values unless said, every value verified. "
             + "memcached has the better of its default -t and -t = CPUs.", ""]
    rows = list(results.rows())
    lines += _speed(results, rows, settings["icount"], ours) if rows else []
    lines += [""] + _memory(results, ours) if results.memory else []
    lines += [""] + _idle(results, ours) if results.idle else []
    return "\n".join(lines) + "\n"


def _goal(value):
    return f"{value:.2f}" if value else "–"


def _met(row, ratio):
    """Bold where the floor is reached; ▼ where it is not."""
    return f"{ratio:.2f} ▼" if ratio < row["floor"] else f"**{ratio:.2f}**"


def _at_once(report):
    return f"{report['at_once'] * 100:.1f} %" if "at_once" in report else "–"


def _speed(results, rows, icount, ours):
    unit = "instructions per request" if icount else "requests/s"
    field = "ns_per_request" if icount else "requests_per_second"
    sides = list(results.guest["peers"])
    heads = ["", *(f"{results.peer_name(side)}, {unit}" for side in sides), f"{ours}, {unit}",
             *(f"ratio to {results.guest['peers'][side]}" for side in sides), "floor", "aim", "p50, us", "p99, us",
             "served at once"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for row in rows:
        present = [side for side in sides if side in row["peers"]]
        lines.append(_line([
            row["title"], *(f"{row['peers'][side][field]:,.0f}" if side in present else "–" for side in sides),
            f"{row['ours'][field]:,.0f}",
            *(_met(row, row["ratios"][side]) if side in present else "–" for side in sides),
            _goal(row["floor"]), _goal(row["aim"]),
            *(f"{row['peers'][present[0]][name]:.1f} → {row['ours'][name]:.1f}" for name in ("p50_us", "p99_us")),
            _at_once(row["ours"])]))
    lines += ["", f"p50 of {rows[0]['title']}: "
              + ", ".join(f"{ratio:.2f} of {results.peer_name(side)}'s" for side, ratio in rows[0]["p50_ratios"].items())
              + f" (floor {P50_FLOOR}, aim {P50_AIM}). ▼: under the floor. Served at once: batches for which no work "
              + "item ran. p50 and p99: from the first memcached named to " + ours + "."]
    lines += _reasons(rows)
    return lines + [f"Not served: {one} (answered with errors)." for one in results.absent(ours)]


def _reasons(rows):
    """Rows of which less than 99 % was served at once."""
    late = [row["title"] for row in rows if row["ours"].get("at_once", 1) < 0.99]
    return ["", "Under 99 % served at once: " + ", ".join(late) + "; see \"What is left to work items\" in "
            "docs/performance.md."] if late else []


def _memory(results, ours):
    heads = ["bytes of overhead per item"]
    for side in results.guest["peers"]:
        heads += [f"{results.peer_name(side)}: RSS", "MemAvailable", "own totals"]
    lines = [_line([*heads, f"{ours}: MemAvailable", "own totals"]), _line(["---"] * (len(heads) + 2))]
    for items, size in sorted({place[:2] for place in results.memory}):
        cells = [f"{items:,} items, {size}-byte values"]
        for side in [*results.guest["peers"], "ours"]:
            one = results.memory.get((items, size, side))
            names = ("available", "own") if side == "ours" else ("real", "available", "own")
            cells += [f"{one[name]:.1f}" if one else "–" for name in names]
        lines.append(_line(cells))
    return lines


def _idle(results, ours):
    """The client's end is part of what MemAvailable falls by, and the same for every server."""
    sides = list(results.guest["peers"])
    heads = ["bytes per idle connection"]
    for side in sides:
        heads += [f"{results.peer_name(side)}: RSS", "MemAvailable, both ends"]
    heads += [f"{ours}: MemAvailable, both ends"]
    lines = [_line(heads), _line(["---"] * len(heads))]
    for transport in dict.fromkeys(place[0] for place in results.idle):
        one = {side: results.idle[transport, side] for side in [*sides, "ours"]}
        cells = [f"{one['ours']['connections']:,} over {transport}"]
        for side in sides:
            cells += [f"{one[side]['real']:,.0f}", f"{one[side]['available']:,.0f}"]
        lines.append(_line([*cells, f"{one['ours']['available']:,.0f}"]))
    return lines
