"""Runs for placement_steps: keys where a function that places them may go wrong."""

from __future__ import annotations

from dslab.sim.case import Case


def _asks(at, command, to="n1"):
    return {"at": at, "do": "request", "command": command, "to": to}


PAST_THE_LAST = Case(
    "past-the-last",
    "a key lies between the last point of the ring and its first.",
    [_asks(10, "#252=a"), _asks(80, "#252", "n2")],
    until=600,
    nodes=5,
    catalogue="S13",
    question="Whose point does one meet first if one goes on clockwise from the key, over the end of the numbers?",
)

ON_A_POINT = Case(
    "on-a-point",
    "a key lies exactly on a point.",
    [_asks(10, "#95=a", "n4"), _asks(80, "#95", "n2")],
    until=600,
    nodes=5,
    catalogue="S13",
    question="A node owns a range that ends with its point. Is the end part of it?",
)

SECOND_POINT = Case(
    "second-point",
    "keys between all the points, so that every point of every node is the right one for some key.",
    [_asks(10 + 60 * i, f"#{at}=a", f"n{1 + i % 5}") for i, at in enumerate((5, 25, 70, 100, 135, 170, 210))],
    until=1_200,
    nodes=5,
    catalogue="S12",
    question="Which of the owner's points is responsible for this key, and did your function look at it?",
)

HASHED = Case(
    "hashed",
    "four keys with names, which are hashed.",
    [_asks(10 + 60 * i, f"{key}=a", f"n{1 + i % 3}") for i, key in enumerate(("apple", "pear", "plum", "quince"))],
    until=1_000,
    catalogue="S11",
    question="Which node's point comes after the key's position?",
)

OWNER = (SECOND_POINT, PAST_THE_LAST, ON_A_POINT, HASHED)
OTHER_OWNERS = (
    SECOND_POINT._replace(name="eight", nodes=8, schedule=[
        _asks(10 + 60 * i, f"#{position}=a", f"n{1 + i % 8}")
        for i, position in enumerate((8, 55, 81, 100, 128, 135, 185, 200, 220, 240))]),
    PAST_THE_LAST._replace(name="past-the-last-of-seven", nodes=7,
                           schedule=[_asks(10, "#255=a"), _asks(80, "#241=b")]),
    ON_A_POINT._replace(name="the-ends", shows="points stand at the first and at the last position.", nodes=4,
                        schedule=[_asks(10 + 60 * i, f"#{position}=a", f"n{1 + i % 4}")
                                  for i, position in enumerate((0, 1, 221, 230, 255))]),
)

NEIGHBOURS = Case(
    "neighbours",
    "two nodes of one host stand side by side on the ring; then this host loses its power.",
    [
        _asks(10, "#5=a", "n4"),
        {"at": 100, "do": "crash", "node": "n1"},
        {"at": 100, "do": "crash", "node": "n2"},
        _asks(120, "#5", "n4"),
    ],
    until=1_000,
    nodes=6,
    catalogue="S15",
    question="Which machines hold a copy, and what is left when one of them loses its power?",
)

OWN_POINT_AGAIN = Case(
    "own-point-again",
    "keys whose way clockwise meets two points of one node, or of one host, before the third copy is found.",
    [_asks(10 + 70 * i, f"#{at}=a", f"n{1 + i % 6}") for i, at in enumerate((0, 95, 118, 150, 190, 212))],
    until=1_200,
    nodes=6,
    catalogue="S15",
    question="Which points did the walk have to pass by, and how many copies did each host get?",
)

OVER_THE_END = Case(
    "over-the-end",
    "keys near the end of the numbers: the walk goes on at the beginning.",
    [_asks(10, "#241=a"), _asks(80, "#250=b"), _asks(150, "#195=c")],
    until=1_000,
    nodes=6,
    catalogue="S13",
    question="Where does the walk go on after the last point?",
)

FEWER_HOSTS = Case(
    "fewer-hosts",
    "three copies are asked for, and there are two hosts.",
    [_asks(10, "#100=a"), _asks(80, "#111=b", "n3"), _asks(150, "#230=c", "n2")],
    until=1_000,
    nodes=4,
    catalogue="S15",
    question="Every host has its copy. For how long does the walk go on, and what ends it?",
)

TWO_COPIES = Case(
    "two-copies",
    "two copies are asked for, and there are three hosts.",
    [_asks(10, "#100=a"), _asks(80, "#150=b", "n3")],
    until=1_000,
    nodes=5,
    catalogue="S15",
    question="How many copies were asked for this time?",
)

WHOLE_ROUND = Case(
    "whole-round",
    "three copies on three hosts, and the only point of the third host lies just before the key.",
    [_asks(10, "#91=a"), _asks(80, "#151=b", "n3")],
    until=1_000,
    nodes=3,
    catalogue="S13",
    question="Which is the last point that somebody meets who walks round the whole ring, and did the walk get there?",
)

COPY = (NEIGHBOURS, OWN_POINT_AGAIN, OVER_THE_END, FEWER_HOSTS, TWO_COPIES, WHOLE_ROUND)
OTHER_COPIES = (
    OWN_POINT_AGAIN._replace(name="eight-nodes", nodes=8, schedule=[
        _asks(10 + 70 * i, f"#{at}=a", f"n{1 + i % 8}") for i, at in enumerate((3, 45, 90, 125, 200, 230))]),
    OWN_POINT_AGAIN._replace(name="seven-nodes", nodes=7, schedule=[
        _asks(10 + 70 * i, f"#{at}=a", f"n{1 + i % 7}") for i, at in enumerate((14, 55, 100, 160, 226))]),
    FEWER_HOSTS._replace(name="two-hosts-again", schedule=[_asks(10, "#0=a"), _asks(80, "#200=b", "n3")]),
    TWO_COPIES._replace(name="two-copies-again", schedule=[_asks(10, "#200=a"), _asks(80, "#250=b", "n3")]),
)
