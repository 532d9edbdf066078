"""The pages that people read: one per student, and one for the class. Every text in them is somebody else's."""

from __future__ import annotations

import base64
import hashlib
import json
import re
import statistics
from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

Data = dict[str, Any]

TEMPLATES = Path(__file__).parent / "templates"

# Characters that nobody sees: controls, halves of characters, and those that turn or join the text around them.
_UNSEEN = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\xad\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ud800-\udfff]"
)
_IN_SCRIPT = re.compile(r"[<>&\u2028\u2029]")
_PLAYER = re.compile(r'<script type="module">(.*?)</script>', re.DOTALL)
_MARK = "<the player>"  # with a sign that no text in the page keeps

LONGEST = 4000  # characters of one text
LONGEST_LINE = 300
MOST_LINES = 400  # of an answer
MOST_STEPS = 200  # of a schedule
SLOWEST = 5

# Status: sign, words, whether it is bad, what to do.
_STATUS: dict[str, tuple[str, str, bool, str]] = {
    "passed": ("✓", "passed", False, ""),
    "wrong": ("✗", "wrong", True, ""),
    "error": (
        "✗", "stops with an error", True,
        "Make the same call in your notebook: Python shows there, step by step, how it got to this line.",
    ),
    "timeout": (
        "✗", "did not end in time", True,
        "Look for a loop whose condition never becomes false, or for work that grows much faster than the input. "
        "Try it in your notebook with a small input first.",
    ),
    "memory": (
        "✗", "needs too much memory", True,
        "Look for a list, a string or a recursion that grows without end. Try it in your notebook with a small "
        "input first.",
    ),
    "crashed": (
        "✗", "ended Python", True,
        "Something in your answer ended the whole process, such as exit() or os._exit(). Take it out; your other "
        "exercises were graded as usual.",
    ),
    "missing": (
        "–", "not answered", True,
        "Write your answer into the cell of this exercise, and keep that cell: answers are found by it.",
    ),
    "not run": ("–", "not run", True, ""),
}
_HIDDEN = (
    "This check looks at cases that are not shown, so that an answer must hold for all of them; what it looked at "
    "stays closed, but it asks for nothing that the exercise does not ask for."
)


def visible(text: str, most: int = LONGEST) -> str:
    """A text of bounded length in which signs that nobody sees are spelled out."""
    left = len(text) - most
    text = _UNSEEN.sub(lambda found: f"⟨U+{ord(found[0]):04X}⟩", text[:most])
    return f"{text}… ({left} more characters)" if left > 0 else text


def points_text(value: Any) -> str:
    """2, 0.5 or 0.3, and not 0.30000000000000004."""
    return f"{value:.10g}"


def _finalize(value: Any) -> Any:
    """What a template writes of a value; only what is ours and marked as safe there stays as it is."""
    return visible(value) if isinstance(value, str) and not hasattr(value, "__html__") else value


def replay(check: Data) -> str:
    """The cell that makes a failing run again."""
    calls = [f"lab.{call}" for call in check.get("schedule", [])[:MOST_STEPS]]
    return "\n".join([f"lab = Lab(system, seed={check['seed']})", *calls, "lab"])


@cache
def _file(name: str) -> str:
    return (TEMPLATES / name).read_text("utf-8")


@cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(TEMPLATES),
        autoescape=True,
        finalize=_finalize,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters["points"] = points_text
    environment.filters["replay"] = replay
    return environment


def _hash(text: str) -> str:
    return f"'sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}'"


def _render(template: str, scripts: Sequence[str], **values: Any) -> str:
    """A page whose policy names its style and scripts by their content; nothing is fetched from anywhere."""
    style = _file("style.css")
    policy = "default-src 'none'; base-uri 'none'; form-action 'none'; "
    if scripts:
        # A frame has the policy of the page around it, too, and the widget in it styles what it draws.
        policy += f"script-src {' '.join(map(_hash, scripts))}; style-src 'unsafe-inline'"
    else:
        policy += f"style-src {_hash(style)}"
    page = _environment().get_template(template)
    return page.render(policy=policy, style=style, **values)


def by_hand(check: Data) -> bool:
    """Whether a person gives the points."""
    return bool(check["status"] == "not run" and check.get("message") == "marked by hand")


def shown(check: Data) -> Data:
    """A check as its reader may see it; of a hidden one that is its title and points."""
    sign, words, bad, todo = _STATUS.get(check["status"], ("–", str(check["status"]), True, ""))
    if check["hidden"]:
        passed = check["status"] == "passed"
        keep = {name: check[name] for name in ("id", "exercise", "title", "points", "max_points")}
        seen = {"sign": "✓", "words": "passed"} if passed else {"sign": "✗", "words": "not passed"}
        return keep | seen | {"bad": not passed, "hidden": True, "todo": "" if passed else _HIDDEN}
    if by_hand(check):
        words, bad = "marked by hand", False
    view = check | {"sign": sign, "words": words, "bad": bad, "todo": todo}
    if "schedule" in view:
        view["schedule"] = view["schedule"][:MOST_STEPS]
    if "message" in view:
        view["message"] = _without_steps(view["message"], view.get("schedule", []))
    view["told"] = _one_line(view.get("sentence", "")) in _one_line(view.get("message", ""))
    return view


def _one_line(text: str) -> str:
    return " ".join(text.split())


def _without_steps(message: str, steps: Sequence[str]) -> str:
    """A message without the paragraphs that list the steps, which the page numbers itself."""
    paragraphs = message.split("\n\n")
    return "\n\n".join(one for one in paragraphs if not steps or _one_line(steps[0]) not in _one_line(one))


def first_thing(result: Data) -> Data:
    """What to do first: a heading, a sentence, and the check to go to, if any."""
    if result.get("problem"):
        return {"heading": "This could not be graded", "text": f"{result['problem']}.", "check": ""}
    failed = [check for check in result["checks"] if shown(check)["bad"]]
    if not failed:
        rest = " The rest is marked by hand." if any(map(by_hand, result["checks"])) else ""
        return {"heading": "Nothing is left to do", "text": f"Every check has passed.{rest}", "check": ""}
    open_ones = [check for check in failed if not check["hidden"]]
    tried = [check for check in open_ones if check["status"] not in ("missing", "not run")]
    if not open_ones:
        text = (
            "Every check that you can see has passed; what is left are cases that are not shown. Try your answer on "
            "inputs that the visible checks leave out: nothing at all, equal values, very large and negative ones, "
            "the same call twice."
        )
        return {"heading": "What to do first", "text": text, "check": failed[0]["id"]}
    check = (tried or open_ones)[0]
    where = f'"{visible(check["title"], 120)}"'
    worth = f"{points_text(check['max_points'])} point{'' if check['max_points'] == 1 else 's'}"
    return {"heading": "What to do first", "text": f"{where} ({worth}): {_reason(check)}", "check": check["id"]}


def _reason(check: Data) -> str:
    """One sentence on what became of a visible check."""
    if check["status"] == "wrong" and "got" in check and "wanted" in check:
        got, wanted = visible(check["got"], 120), visible(check["wanted"], 120)
        call = f"{visible(check['call'], 120)} gave" if "call" in check else "your answer gave"
        return f"{call} {got}, and {wanted} is right."
    if "property" in check:
        broken = visible(check["property"], 120)
        return f'your answer breaks the property "{broken}"; the shortest run that does it is below.'
    message = visible(check.get("message", ""), 300).strip()
    if message:
        return message if message.endswith((".", "!", "?", "…")) else f"{message}."
    return f"{_STATUS.get(check['status'], ('', str(check['status']), True, ''))[1]}."


def _listing(answer: str, checks: Sequence[Data]) -> Data | None:
    """The lines of an answer with their numbers, and the checks that point at them."""
    marks: dict[int, list[str]] = {}
    for check in checks:
        if "line" in check and not check["hidden"]:
            marks.setdefault(check["line"], []).append(visible(check["title"], 120))
    if not answer.strip():
        return None
    lines = answer.rstrip().split("\n")
    first = min(marks, default=1)
    begin = first - MOST_LINES // 2 if first > MOST_LINES else 0
    rows = [
        {"number": number, "text": visible(text, LONGEST_LINE), "marks": ", ".join(marks.get(number, []))}
        for number, text in enumerate(lines[begin : begin + MOST_LINES], start=begin + 1)
    ]
    return {"rows": rows, "skipped": begin, "left": max(0, len(lines) - begin - MOST_LINES)}


def exercises(result: Data, answers: Mapping[str, str]) -> list[Data]:
    """The checks by exercise, in the order of the notebook, with the student's own answer."""
    groups: dict[str, list[Data]] = {}
    for check in result["checks"]:
        groups.setdefault(check["exercise"], []).append(check)
    return [
        {
            "name": name or "Other checks",
            "checks": [shown(check) for check in checks],
            "passed": sum(check["status"] == "passed" for check in checks),
            "points": sum(check["points"] for check in checks),
            "max_points": sum(check["max_points"] for check in checks),
            "listing": _listing(answers.get(name, ""), checks),
        }
        for name, checks in groups.items()
    ]


def _escaped_json(data: Any) -> str:
    """JSON that cannot end the script block it stands in."""
    text = json.dumps(data, ensure_ascii=True, sort_keys=True)
    return _IN_SCRIPT.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def student_page(assignment: str, result: Data) -> str:
    """One student's page, of the dict that grading a hand-in gives."""
    data = result["json"]
    open_ids = {check["id"] for check in data["checks"] if not check["hidden"] and check["status"] != "passed"}
    runs = {name: text for name, text in sorted(result["runs"].items()) if name in open_ids}
    player = next((found[1] for text in runs.values() if (found := _PLAYER.search(text))), "")
    # The player is most of a run and the same in all: it is in the page once.
    pages = {name: text.replace(player, _MARK) if player else text for name, text in runs.items()}
    loader = _file("player.js")
    return _render(
        "student.html",
        [loader, *([player] if player else [])] if runs else [],
        assignment=assignment,
        name=data["name"],
        points=data["points"],
        max_points=data["max_points"],
        first=first_thing(data),
        exercises=exercises(data, result["answers"]),
        flags=data["flags"],
        runs=runs,
        runs_json=_escaped_json({"mark": _MARK, "player": player, "pages": pages}),
        loader=loader,
    )


def pass_rates(hand_ins: Sequence[Data], checks: Sequence[Data]) -> list[Data]:
    """Per check: how many of the graded hand-ins passed it, and the commonest wrong value where it may be seen."""
    graded = [one for one in hand_ins if not one.get("problem")]
    by_id = [{check["id"]: check for check in one["checks"]} for one in graded]
    rows = []
    for check in checks:
        found = [one[check["id"]] for one in by_id if check["id"] in one and not by_hand(one[check["id"]])]
        passed = sum(one["status"] == "passed" for one in found)
        wrong = Counter(one["got"] for one in found if "got" in one and not one["hidden"] and one["status"] != "passed")
        common, count = min(wrong.items(), key=lambda item: (-item[1], item[0]), default=("", 0))
        rows.append(
            {name: check[name] for name in ("title", "exercise", "hidden", "max_points")}
            | {"passed": passed, "of": len(found), "percent": round(100 * passed / len(found)) if found else 0}
            | {"common": visible(common, 120), "count": count}
        )
    return rows


def summary_page(
    assignment: str,
    total: int | float,
    checks: Sequence[Data],
    hand_ins: Sequence[Data],
    files: Mapping[str, str],
    isolation: str,
    seconds: Mapping[str, float],
) -> str:
    """The class's page.

    Args:
        assignment, total: its name and its points.
        checks: id, title, exercise, hidden and max_points of each.
        hand_ins: the "json" of each, sorted.
        files: name of each hand-in's page, without its ending.
        isolation: what kept the answers apart from the machine.
        seconds: how long each took; may be empty.
    """
    graded = [one["points"] for one in hand_ins if not one.get("problem")]
    slow = sorted(((name, seconds[name]) for name in files if name in seconds), key=lambda item: (-item[1], item[0]))
    shown_ones = [
        one | {"checks": [shown(check) | {"status": check["status"]} for check in one["checks"]]} for one in hand_ins
    ]
    return _render(
        "summary.html",
        [],
        assignment=assignment,
        total=total,
        hand_ins=[{"problem": ""} | one for one in shown_ones],
        files=files,
        isolation=isolation,
        middle=statistics.median_high(graded) if graded else None,
        problems=[one for one in hand_ins if one.get("problem")],
        rates=pass_rates(hand_ins, checks),
        odd=[one for one in hand_ins if one["flags"]],
        slowest=slow[:SLOWEST],
    )
