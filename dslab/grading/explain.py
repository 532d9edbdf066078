"""What a failed visible check can tell: the call, what came back, what was wanted, the line of the answer."""

from __future__ import annotations

import ast
from types import TracebackType
from typing import Any

from dslab.check.feedback import CheckFailed
from dslab.grading.remote import Call, Remote, RemoteObject, Undefined
from dslab.sim.schedule import call as action_call

MAX_SHOWN = 400  # characters of a value


def shown(value: Any) -> str:
    """A value as text, cut to a length that fits into a report."""
    try:
        text = _words(value) or repr(value)
    except Exception as error:
        text = f"<a {type(value).__name__} that cannot be shown: {type(error).__name__}>"
    return text if len(text) <= MAX_SHOWN else text[: MAX_SHOWN - 1] + "…"


def _words(value: Any) -> str:
    """Functions by their names, graphs by their edges; empty for what shows itself well."""
    if isinstance(value, RemoteObject):
        return Remote.__repr__(value)
    if callable(value) and not isinstance(value, type):
        return str(getattr(value, "__name__", ""))
    if hasattr(value, "edges") and hasattr(value, "nodes") and hasattr(value, "is_directed"):
        kind = "directed graph" if value.is_directed() else "graph"
        return f"{kind} with nodes {list(value.nodes)} and edges {list(value.edges)}"
    return ""


def explanation(error: BaseException, cell: str, names: dict[str, Any], calls: list[Call]) -> dict[str, Any]:
    """The parts of a report on a check that stopped with `error`.

    Args:
        error: with its traceback.
        cell: the check's text.
        names: the notebook's namespace.
        calls: the calls of the answer that the check made, in order.
    """
    said = error.msg if isinstance(error, SyntaxError) else str(error)  # without a place that is not the student's
    about: dict[str, Any] = {"said": said[:4000]}
    about |= _line(error)
    if isinstance(error, CheckFailed):
        about |= _run(error)
        return about
    statement, local = _statement(error.__traceback__, cell)
    if statement is not None and not isinstance(statement, ast.Assert):
        about["statement"] = ast.unparse(statement)[:MAX_SHOWN]
    if isinstance(statement, ast.Assert):
        about["assertion"] = ast.unparse(statement.test)[:MAX_SHOWN]
    one = _call_in(statement, calls)
    if one is not None:
        parts = [shown(argument) for argument in one.arguments]
        parts += [f"{name}={shown(value)}" for name, value in one.named.items()]
        about["call"] = f"{one.name}({', '.join(parts)})"[: 2 * MAX_SHOWN]
        if one.error is None:
            about["got"] = shown(one.result)
        else:
            name = getattr(one.error, "answer_name", type(one.error).__name__)
            said = getattr(one.error, "answer_text", str(one.error))
            about["got"] = f"raises {name}: {said[:MAX_SHOWN]}".removesuffix(": ")
            about |= _line(one.error)
    wanted = _wanted(statement, one, names | local)
    return about if wanted is None else about | {"wanted": wanted}


def _line(error: BaseException) -> dict[str, Any]:
    found: BaseException | None = error
    while found is not None:
        line = getattr(found, "answer_line", None)
        if line is not None:
            return {"line": line[0], "code": line[1]}
        found = found.__cause__
    return {}


def _run(error: CheckFailed) -> dict[str, Any]:
    """The property that a run breaks, and the shortest schedule found."""
    about: dict[str, Any] = {}
    verdict = error.verdict
    if verdict is not None:
        about |= {"property": verdict.title, "sentence": verdict.sentence}
    if error.case is not None:
        about |= {"seed": error.case.seed, "schedule": [action_call(action) for action in error.case.schedule]}
    return about


def _statement(trace: TracebackType | None, cell: str) -> tuple[ast.stmt | None, dict[str, Any]]:
    """The innermost statement of the cell that was running, and the names around it."""
    try:
        tree = ast.parse(cell)
    except SyntaxError:
        return None, {}
    found, local = None, {}
    while trace is not None:
        frame = trace.tb_frame
        if "ipykernel" in frame.f_code.co_filename or frame.f_code.co_filename.startswith("<ipython"):
            for node in ast.walk(tree):
                if not isinstance(node, ast.stmt) or isinstance(node, ast.FunctionDef | ast.ClassDef):
                    continue
                if node.lineno <= trace.tb_lineno <= (node.end_lineno or 0):
                    found, local = node, dict(frame.f_locals)
        trace = trace.tb_next
    return found, local


def _call_in(statement: ast.stmt | None, calls: list[Call]) -> Call | None:
    """The last call whose function the statement names; else the last one if it failed."""
    named = {node.id for node in ast.walk(statement) if isinstance(node, ast.Name)} if statement is not None else set()
    named |= {node.attr for node in ast.walk(statement) if isinstance(node, ast.Attribute)} if statement else set()
    for one in reversed(calls):
        if one.name in named:
            return one
    return calls[-1] if calls else None


def _wanted(statement: ast.stmt | None, one: Call | None, names: dict[str, Any]) -> str | None:
    """The other side of `assert f(x) == y`: its value, if finding it calls nothing of the student's."""
    test = statement.test if isinstance(statement, ast.Assert) else None
    if not isinstance(test, ast.Compare) or len(test.ops) != 1 or not isinstance(test.ops[0], ast.Eq | ast.Is):
        return None
    from dslab.grading.remote import Made

    for side in (test.comparators[0], test.left):
        used = [names.get(node.id) for node in ast.walk(side) if isinstance(node, ast.Name)]
        if not any(isinstance(value, Remote | Made | Undefined) for value in used):
            if any(isinstance(node, ast.Call | ast.NamedExpr | ast.Await) for node in ast.walk(side)):
                return ast.unparse(side)[:MAX_SHOWN]
            try:
                return shown(eval(compile(ast.Expression(side), "<wanted>", "eval"), names))
            except Exception:
                return ast.unparse(side)[:MAX_SHOWN]
    return None
