# SPDX-License-Identifier: MIT
"""From results to a table: Markdown for people, JSON for programs."""

from scenarios import KEY_SIZE, SCENARIOS, VALUE_SIZE


class Results:
    """What the guest told, gathered."""

    def __init__(self):
        self.guest = {}
        self.speed = {}     # (scenario, side) -> {"threads", "report"}, the best of a side's variants
        self.variants = []
        self.not_served = []
        self.memory = {}    # (value size, side) -> result
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
            self.memory[result["value_size"], result["side"]] = result
        elif kind == "end":
            self.complete = True

    def rows(self):
        """The rows for which both sides were measured."""
        for number, scenario in enumerate(SCENARIOS):
            peer, ours = self.speed.get((number, "peer")), self.speed.get((number, "ours"))
            if peer and ours:
                yield {"transport": scenario.transport, "name": scenario.name, "note": scenario.note,
                       "ratio": _rate(ours) / _rate(peer),
                       "p50_ratio": ours["report"]["p50_us"] / peer["report"]["p50_us"],
                       "peer_threads": peer["threads"], "peer": peer["report"], "ours": ours["report"]}

    def absent(self, ours):
        """What a side does not know, in words, each once."""
        names = {f"{SCENARIOS[one['scenario']].transport} {SCENARIOS[one['scenario']].name} by "
                 + (ours if one["side"] == "ours" else "memcached"): None for one in self.not_served}
        return list(names)

    def document(self):
        """All of it, for JSON."""
        variants = [dict(one, scenario=f"{SCENARIOS[one['scenario']].transport} {SCENARIOS[one['scenario']].name}")
                    for one in self.variants]
        return {"guest": self.guest, "rows": list(self.rows()), "variants": variants,
                "not_served": self.absent("ours"),
                "memory": list(self.memory.values())}


def _rate(result):
    return result["report"]["requests_per_second"]


def _line(cells):
    return "| " + " | ".join(str(cell) for cell in cells) + " |"


def markdown(results, settings):
    """One table of speed and one of memory, with what they were measured on."""
    ours = settings["ours"] or "kmemcache"
    lines = [f"{results.guest['peer']} and {ours}, Linux {results.guest['kernel']}, {results.guest['cpus']} CPU(s), "
             + ("clock counts instructions" if settings["icount"] else f"median of {settings['repeats']} runs")
             + f"; {KEY_SIZE}-byte keys, {VALUE_SIZE}-byte values, every value verified. "
             + "The peer is the better of its thread counts.", ""]
    lines += _speed(results, settings["icount"], ours)
    lines += [""] + _memory(results, ours) if results.memory else []
    return "\n".join(lines) + "\n"


def _speed(results, icount, ours):
    unit = "instructions per request" if icount else "requests/s"
    field = "ns_per_request" if icount else "requests_per_second"
    lines = [_line(["", f"memcached, {unit}", f"{ours}, {unit}", "ratio", "p50, us", "p99, us"]), _line(["---"] * 6)]
    notes = []
    for row in results.rows():
        mark = ""
        if row["note"]:
            if row["note"] not in notes:
                notes.append(row["note"])
            mark = f" [{notes.index(row['note']) + 1}]"
        lines.append(_line([
            f"{row['transport']} {row['name']}{mark}", f"{row['peer'][field]:,.0f}", f"{row['ours'][field]:,.0f}",
            f"**{row['ratio']:.2f}**", *(f"{row['peer'][name]:.1f} → {row['ours'][name]:.1f}"
                                         for name in ("p50_us", "p99_us"))]))
    absent = [f"Not served: {one} (answered with errors)." for one in results.absent(ours)]
    return lines + [""] + [f"[{number}] {note}." for number, note in enumerate(notes, 1)] + absent


def _memory(results, ours):
    lines = [_line(["bytes of overhead per item", "memcached: RSS", "MemAvailable", "own totals",
                    f"{ours}: MemAvailable", "own totals"]), _line(["---"] * 6)]
    for value_size in sorted({size for size, _ in results.memory}):
        peer, mine = results.memory.get((value_size, "peer")), results.memory.get((value_size, "ours"))
        if peer and mine:
            lines.append(_line([f"{value_size}-byte values", *(f"{number:.1f}" for number in (
                peer["real"], peer["available"], peer["own"], mine["available"], mine["own"]))]))
    return lines
