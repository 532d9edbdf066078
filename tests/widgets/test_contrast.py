"""Every pair of colours that must be told apart can be: the guide's table, computed from the style sheet."""

import re

import pytest

from dslab.widgets import bundle

ANCHORS = {
    "light": None, "dark": None,            # the style sheet's own
    "JupyterLab light": ("light", "#ffffff", "#000000"), "JupyterLab dark": ("dark", "#111111", "#ffffff"),
}
# (foreground, background): the least ratio that WCAG 2 asks for, then what the guide says in each theme
TABLE = {
    ("ink", "bg"): (4.5, 15.2, 14.1, 17.6, 15.3),
    ("ink2", "bg"): (4.5, 6.3, 7.9, 7.2, 8.5), ("ink2", "wash2"): (4.5, 5.3, 6.5, 6.1, 7.0),
    ("danger", "bg"): (4.5, 6.5, 8.4, 6.5, 8.5), ("danger", "wash"): (4.5, 6.0, 7.7, 6.0, 7.8),
    ("mark", "bg"): (3, 4.1, 5.7, 4.6, 6.1), ("mark", "wash2"): (3, 3.5, 4.7, 3.9, 5.0),
    ("focus", "bg"): (3, 5.5, 9.0, 5.5, 9.2), ("focus", "wash2"): (3, 4.6, 7.4, 4.6, 7.5),
    ("bg", "ink"): (4.5, 15.2, 14.1, 17.6, 15.3), ("on-danger", "danger"): (3, 6.5, 8.8, 6.5, 8.8),
}
ON_TERM = {1: ("#ffffff", 5.2), 2: ("#000000", 9.3), 3: ("#000000", 6.1), 4: ("#000000", 6.9), 5: ("#000000", 9.1),
           6: ("#000000", 5.4)}


def rgb(text):
    return tuple(int(text[i:i + 2], 16) for i in (1, 3, 5))


def luminance(colour):
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in (v / 255 for v in colour)]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def ratio(one, other):
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


def tokens(theme):
    """All colours of a theme, mixed as the style sheet mixes them."""
    css = bundle.css()
    base, background, foreground = ANCHORS[theme] or (theme, None, None)
    blocks = re.findall(r"--ds-bg: var\([^,]+, (#\w{6})\); --ds-fg: var\([^,]+, (#\w{6})\);\s+"
                        r"--ds-danger: (#\w{6}); --ds-on-danger: (#\w{6}); --ds-focus: (#\w{6});", css)
    light, dark, dark_by_preference = blocks
    assert dark == dark_by_preference, "the theme that the host names and the one that the system prefers look alike"
    own_bg, own_fg, danger, on_danger, focus = light if base == "light" else dark
    bg, fg = rgb(background or own_bg), rgb(foreground or own_fg)
    colours = {"bg": bg, "danger": rgb(danger), "on-danger": rgb(on_danger), "focus": rgb(focus)}
    for name, share in re.findall(r"--ds-(\w+): color-mix\(in srgb, var\(--ds-fg\) (\d+)%, var\(--ds-bg\)\)", css):
        colours[name] = tuple(f * int(share) / 100 + b * (1 - int(share) / 100) for f, b in zip(fg, bg))
    return colours


@pytest.mark.parametrize("theme", ANCHORS)
def test_pairs_meet_wcag_and_the_guide(theme):
    colours = tokens(theme)
    column = list(ANCHORS).index(theme) + 1
    for (fore, back), row in TABLE.items():
        found = ratio(colours[fore], colours[back])
        assert found >= row[0], f"{fore} on {back}: {found:.2f}"
        if fore != "on-danger":                          # the guide gives no figure for it
            assert found == pytest.approx(row[column], rel=0.02), f"{fore} on {back}"   # its channels are whole


def test_numbers_on_the_fills_of_terms_can_be_read():
    css = bundle.css()
    for term, (text, expected) in ON_TERM.items():
        fill = rgb(re.search(rf"--ds-t{term}: (#\w{{6}})", css).group(1))
        assert ratio(rgb(text), fill) == pytest.approx(expected, abs=0.06)
        assert ratio(rgb(text), fill) >= 4.5


def test_the_formula_is_that_of_wcag():
    """Known pairs: black on white is 21, and #767676 is the lightest grey that passes on white."""
    assert ratio((0, 0, 0), (255, 255, 255)) == pytest.approx(21)
    assert ratio(rgb("#767676"), (255, 255, 255)) == pytest.approx(4.54, abs=0.01)
