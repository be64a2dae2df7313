# SPDX-License-Identifier: MIT
"""Draws the table: one bar per row and peer, as long as we are faster, with floor and aim."""

from html import escape

LEFT, BAR, GAP, TOP, WIDTH = 190, 14, 8, 58, 760
COLOURS = ("#2f6f9f", "#8fb8d6", "#c3d9e8")


def svg(results):
    """An SVG picture of the ratios; readable without scripts, fonts or colours of its own."""
    rows = list(results.rows())
    sides = list(results.guest["peers"])
    longest = max([2.5, *(ratio for row in rows for ratio in row["ratios"].values()), *(row["aim"] for row in rows)])
    longest = min(longest, 8.0)
    scale = (WIDTH - LEFT - 60) / longest
    height = len(sides) * BAR + GAP
    total = TOP + height * len(rows) + 34
    parts = [f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {total}" font-family="sans-serif" '
             'font-size="12" role="img">',
             f'<title>Requests per second of kmemcache, in multiples of memcached, {len(rows)} rows</title>',
             f'<rect width="{WIDTH}" height="{total}" fill="#ffffff"/>',
             '<text x="10" y="20" font-size="14" font-weight="bold">kmemcache, in multiples of memcached '
             '(instructions per request, client included)</text>']
    parts += _legend(results, sides)
    for number in range(int(longest) + 1):
        x = LEFT + number * scale
        parts.append(f'<line x1="{x:.1f}" y1="{TOP - 6}" x2="{x:.1f}" y2="{total - 26}" stroke="#cccccc" '
                     f'stroke-width="{2 if number == 1 else 1}"/>')
        parts.append(f'<text x="{x:.1f}" y="{total - 10}" text-anchor="middle">{number}</text>')
    for number, row in enumerate(rows):
        parts += _row(row, sides, TOP + number * height, scale, longest)
    return "\n".join(parts + ["</svg>"]) + "\n"


def _legend(results, sides):
    parts = []
    for number, side in enumerate(sides):
        x = 10 + 190 * number
        parts.append(f'<rect x="{x}" y="30" width="12" height="12" fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(f'<text x="{x + 18}" y="40">against {escape(results.peer_name(side))}</text>')
    x = 10 + 190 * len(sides)
    parts.append(f'<line x1="{x}" y1="29" x2="{x}" y2="43" stroke="#b03a2e" stroke-width="2"/>'
                 f'<text x="{x + 8}" y="40">floor</text>')
    parts.append(f'<line x1="{x + 60}" y1="29" x2="{x + 60}" y2="43" stroke="#1e8449" stroke-width="2" '
                 f'stroke-dasharray="3 2"/><text x="{x + 68}" y="40">aim</text>')
    return parts


def _row(row, sides, y, scale, longest):
    middle = y + len(sides) * BAR / 2
    parts = [f'<text x="{LEFT - 8}" y="{middle + 4:.1f}" text-anchor="end">{escape(row["title"])}</text>']
    for number, side in enumerate(sides):
        if side not in row["ratios"]:
            continue
        ratio = row["ratios"][side]
        width = min(ratio, longest) * scale
        top = y + number * BAR
        parts.append(f'<rect x="{LEFT}" y="{top}" width="{width:.1f}" height="{BAR - 2}" '
                     f'fill="{COLOURS[number % len(COLOURS)]}"/>')
        parts.append(f'<text x="{LEFT + width + 4:.1f}" y="{top + BAR - 4}" font-size="10">{ratio:.2f}</text>')
    for goal, style in (("floor", 'stroke="#b03a2e"'), ("aim", 'stroke="#1e8449" stroke-dasharray="3 2"')):
        if row[goal]:
            x = LEFT + row[goal] * scale
            parts.append(f'<line x1="{x:.1f}" y1="{y - 2}" x2="{x:.1f}" y2="{y + len(sides) * BAR}" {style} '
                         'stroke-width="2"/>')
    return parts
