"""Shapes and text as SVG, with one decimal per coordinate, so that equal traces give equal bytes everywhere.

Colours are the light theme's, written out, because a picture in a notebook has no style sheet.
"""

from __future__ import annotations

from html import escape

from .words import MARKUP

PAPER, INK, INK2 = "#ffffff", "#23262b", "#5e6064"
MARK, LINE, WASH2, DANGER = "#7b7d80", "#e2e2e3", "#ebecec", "#b3261e"
TERMS = ("#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9", "#D55E00")
SANS = "system-ui, -apple-system, 'Segoe UI', Roboto, 'Noto Sans', sans-serif"
MONO = "ui-monospace, Menlo, Consolas, monospace"


def n(x: float) -> str:
    """A coordinate: one decimal, none where it is whole."""
    text = f"{x:.1f}"
    return text[:-2] if text.endswith(".0") else text


def term_fill(term: int) -> tuple[str, str]:
    """(fill, text colour) of a term."""
    if term < 1:
        return PAPER, INK
    return TERMS[(term - 1) % 6], "#ffffff" if (term - 1) % 6 == 0 else "#000000"


def _paint(fill: str, stroke: str, width: float, dash: str) -> str:
    return (f' fill="{fill}"' + (f' stroke="{stroke}"' if stroke else "")
            + (f' stroke-width="{width:g}"' if stroke and width != 1 else "")
            + (f' stroke-dasharray="{dash}"' if dash else ""))


def circle(
    x: float, y: float, r: float, fill: str = "none", stroke: str = INK, width: float = 1, dash: str = ""
) -> str:
    """A circle around x, y."""
    return f'<circle cx="{n(x)}" cy="{n(y)}" r="{n(r)}"{_paint(fill, stroke, width, dash)}/>'


def rect(
    x: float, y: float, w: float, h: float, fill: str, stroke: str = INK, dash: str = "", rx: float = 2
) -> str:
    """A rectangle with its corner at x, y."""
    place = f'x="{n(x)}" y="{n(y)}" width="{n(w)}" height="{n(h)}" rx="{n(rx)}"'
    return f"<rect {place}{_paint(fill, stroke, 1, dash)}/>"


def path(d: str, stroke: str = INK, width: float = 1, dash: str = "", fill: str = "none") -> str:
    """Lines, as SVG path data."""
    return f'<path d="{d}"{_paint(fill, stroke, width, dash)}/>'


def text(x: float, y: float, words: str, size: float = 11, fill: str = INK, weight: int = 400,
         anchor: str = "start") -> str:
    """One line of text; `{term:4}` is set in bold, code in a fixed pitch."""
    parts, last = [], 0
    for match in MARKUP.finditer(words):
        parts.append(escape(words[last:match.start()], quote=False))
        term, code = match[1], escape(match[2] or "", quote=False)
        style = 'font-weight="700"' if term else f'font-family="{MONO}"'
        parts.append(f"<tspan {style}>{term or code}</tspan>")
        last = match.end()
    parts.append(escape(words[last:], quote=False))
    style = f' font-weight="{weight}"' if weight != 400 else ""
    style += f' text-anchor="{anchor}"' if anchor != "start" else ""
    return f'<text x="{n(x)}" y="{n(y)}" font-size="{size:g}" fill="{fill}"{style}>{"".join(parts)}</text>'


def label(x: float, y: float, words: object, size: float, fill: str) -> str:
    """Bold text in the middle of a mark."""
    return text(x, y + 0.36 * size, str(words), size, fill, 700, "middle")


def roundel(x: float, y: float, r: float, term: int) -> str:
    """The mark of a term."""
    fill, ink = term_fill(term)
    return circle(x, y, r, fill) + label(x, y, term, r * 1.35, ink)


def disc(x: float, y: float, number: int) -> str:
    """The number of a picture."""
    return circle(x, y, 8.5, INK, "") + label(x, y, number, 10.5, PAPER)
