"""Wrong answers to the steps of quorum_steps, each with the property at which it must fail."""

from __future__ import annotations

from dslab.protocols import quorum_steps as steps
from dslab.protocols.quorum import Replica

# ---- step 1


class AsksOne(steps.Skeleton):
    keep, is_stored = Replica.keep, Replica.is_stored

    def new_version(self, answers):
        self.counter = max(self.counter, *(version[0] for version, _ in answers.values())) + 1
        return [self.counter, self.id]


class OwnCounter(steps.Written):
    def new_version(self, answers):
        if len(answers) >= self.R:
            self.counter += 1
            return [self.counter, self.id]


class Nameless(steps.Written):
    def new_version(self, answers):
        version = super().new_version(answers)
        return version and [version[0], ""]


class Forgetful(steps.Written):
    def new_version(self, answers):
        if len(answers) >= self.R:
            return [max(version[0] for version, _ in answers.values()) + 1, self.id]


class Overwrites(steps.Written):
    def keep(self, key, version, value):
        self.versions[key] = [list(version), value]


class KeepsFirst(steps.Written):
    def keep(self, key, version, value):
        self.versions.setdefault(key, [list(version), value])


class AcksAtOnce(steps.Written):
    def is_stored(self, acks):
        return True


class CountsR(steps.Written):
    def is_stored(self, acks):
        return len(acks) >= self.R


class Majority(steps.Written):
    def is_stored(self, acks):
        return len(acks) > self.N // 2


class AsksMajority(steps.Written):
    def new_version(self, answers):
        if len(answers) > self.N // 2:
            self.counter = max(self.counter, *(version[0] for version, _ in answers.values())) + 1
            return [self.counter, self.id]


class WaitsForAll(steps.Written):
    def is_stored(self, acks):
        return len(acks) == self.N


# ---- step 2


class ReadsAlone(steps.Written):
    """S1: the server's own copy."""


class FirstComes(steps.Written):
    def newest(self, answers):
        return next(iter(answers.values()))


class LastComes(steps.Written):
    def newest(self, answers):
        if len(answers) >= self.R:
            return list(answers.values())[-1]


class Commonest(steps.Written):
    def newest(self, answers):
        if len(answers) >= self.R:
            held = list(answers.values())
            return max(held, key=held.count)


class HighestValue(steps.Written):
    def newest(self, answers):
        if len(answers) >= self.R:
            return max(answers.values(), key=lambda answer: str(answer[1]))


class ByCounter(steps.Written):
    def newest(self, answers):
        if len(answers) >= self.R:
            return max(answers.values(), key=lambda answer: answer[0][0])


class HearsMajority(steps.Written):
    def newest(self, answers):
        if len(answers) > self.N // 2:
            return max(answers.values(), key=lambda answer: answer[0])


class WaitsForAgreement(steps.Written):
    def newest(self, answers):
        held = list(answers.values())
        return next((answer for answer in held if held.count(answer) >= self.R), None)


class HearsAll(steps.Written):
    def newest(self, answers):
        if len(answers) == self.N:
            return max(answers.values(), key=lambda answer: answer[0])


# ---- step 3


class NeverRepairs(steps.Read):
    pass


class RepairsLater(steps.Read):
    def found(self, name):
        self.finish(name)
        self.put(name)


class CountsAnswers(steps.Read):
    def found(self, name):
        read = self.operation(name)
        read["acks"] = list(read["answers"])
        self.finish(name) if self.is_stored(read["acks"]) else self.put(name)


class TrustsAgreement(steps.Repaired):
    def found(self, name):
        answers = self.operation(name)["answers"].values()
        if all(version == self.operation(name)["version"] for version, _ in answers):
            self.finish(name)
        else:
            super().found(name)


class RepairsR(steps.Read):
    def found(self, name):
        read = self.operation(name)
        read["need"] = self.R
        read["asked"] = list(read["answers"])
        self.put(name)

    def is_stored(self, acks):
        return len(acks) >= self.R


class SaysNothing(steps.Repaired):
    def found(self, name):
        """It knows, and does not tell."""


class NewVersion(steps.Repaired):
    def found(self, name):
        read = self.operation(name)
        self.counter = max(self.counter, read["version"][0]) + 1
        read["version"] = [self.counter, self.id]
        self.put(name)


# ---- step 4


class VolatileVersions(steps.Repaired):
    durable = {"requests": {}, "counter": 0}

    def on_start(self):
        self.versions = {}
        self.forget()


class VolatileRequests(steps.Repaired):
    durable = {"versions": {}, "counter": 0}

    def on_start(self):
        self.requests = {}
        self.forget()


class KeepsReads(steps.Repaired):
    durable = {**Replica.durable, "reads": {}}

    def on_start(self):
        self.writes, self.latest = {}, {}


class CounterAnew(steps.Repaired):
    """Right, too: see quorum_steps.Restarted."""

    durable = {"versions": {}, "requests": {}}

    def on_start(self):
        self.counter = 0
        self.forget()


class StartsAnew(steps.Repaired):
    durable = Replica.durable


class Nothing(steps.Repaired):
    """Nothing is durable."""


STORED, NEWER = "what_is_acknowledged_is_stored", "writes_are_newer"
FRESH, LATE, ONE = "reads_are_fresh", "requests_are_answered", "one_value_per_version"
BACK, LINEARIZABLE, PASS = "reads_never_go_back", "linearizable", "writes_pass_reads"

# step -> {wrong answer: the properties at which it may fail}
WRONG = {
    "writing": {AsksOne: {NEWER}, OwnCounter: {NEWER}, Nameless: {ONE}, Forgetful: {ONE}, Overwrites: {STORED},
                KeepsFirst: {STORED}, AcksAtOnce: {STORED}, CountsR: {STORED}, Majority: {STORED}, WaitsForAll: {LATE},
                AsksMajority: {NEWER}},
    "reading": {ReadsAlone: {FRESH}, FirstComes: {FRESH}, LastComes: {FRESH}, Commonest: {FRESH}, HighestValue: {FRESH},
                ByCounter: {FRESH}, HearsAll: {LATE}, HearsMajority: {FRESH}, WaitsForAgreement: {LATE}},
    "repairing": {NeverRepairs: {BACK}, RepairsLater: {BACK}, CountsAnswers: {BACK}, TrustsAgreement: {BACK},
                  RepairsR: {BACK, STORED}, NewVersion: {LINEARIZABLE, PASS}, SaysNothing: {LATE}},
    "restarting": {VolatileVersions: {STORED, FRESH}, VolatileRequests: {LINEARIZABLE}, StartsAnew: {STORED, FRESH},
                   Nothing: {STORED, FRESH}, KeepsReads: {LATE}},
}
