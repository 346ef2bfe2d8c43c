#!/usr/bin/env python3
"""Compare schedules.next with a model that looks at every minute of Python's own time zones.

    tests/schedule/oracle.py [--cases N] [--seed N]

Random specifications, zones and moments, most of them around changes of the clock. The model has neither the parser nor the search of brant: a
field is a set that was drawn, and written as text; a fire is found by walking over all minutes (near) or days (far). The last line is
"N passed, N failed".
"""

import argparse
import json
import random
import subprocess
import sys
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

ROOT = Path(__file__).resolve().parent.parent.parent
ZONES = [
    "UTC", "Europe/Berlin", "America/New_York", "Australia/Lord_Howe", "Australia/Sydney", "America/Santiago", "America/Sao_Paulo",
    "Asia/Kolkata", "Asia/Tehran", "Africa/Casablanca", "Europe/Dublin", "Pacific/Apia", "Asia/Gaza", "America/St_Johns", "Antarctica/Troll",
    "America/Havana", "Pacific/Chatham", "Africa/Cairo", "Asia/Kathmandu", "America/Asuncion",
]
BOUNDS = {"minute": (0, 59), "hour": (0, 23), "day": (1, 31), "month": (1, 12), "weekday": (0, 6)}
MONTHS = "JAN FEB MAR APR MAY JUN JUL AUG SEP OCT NOV DEC".split()
WEEKDAYS = "SUN MON TUE WED THU FRI SAT".split()
BACK, AHEAD = 3 * 1440, 4 * 1440
EPOCH = date(1970, 1, 1)


class Field:
    """A text of the cron language and the values that it was drawn from."""

    def __init__(self, name, random):
        low, high = BOUNDS[name]
        kind = random.choice(["*", "*", "*", "value", "value", "list", "range", "step", "from"] if name in ("day", "month", "weekday")
                             else ["*", "value", "value", "value", "list", "range", "step", "from", "steps"])
        pick = lambda: random.randint(low, high)
        a, b = sorted((pick(), pick()))
        step = random.randint(1, max(1, (high - low) // 2))
        shown = self.shown(name, random)
        if kind == "*":
            self.text, self.values = "*", range(low, high + 1)
        elif kind == "value":
            self.text, self.values = shown(a), [a]
        elif kind == "list":
            self.values = sorted({pick() for _ in range(random.randint(2, 4))})
            self.text = ",".join(map(shown, self.values))
        elif kind == "range":
            self.text, self.values = f"{shown(a)}-{shown(b)}", range(a, b + 1)
        elif kind == "step":
            self.text, self.values = f"*/{step}", range(low, high + 1, step)
        elif kind == "from":
            self.text, self.values = f"{shown(a)}/{step}", range(a, high + 1, step)
        else:
            self.text, self.values = f"{shown(a)}-{shown(b)}/{step}", range(a, b + 1, step)
        if name == "weekday" and kind == "range" and random.random() < 0.3:
            self.text, self.values = f"{shown(a)}-7", [*range(a, 7), 0]
        self.values = set(self.values)
        self.star = self.text.startswith("*")
        self.wild = "*" in self.text or "/" in self.text

    @staticmethod
    def shown(name, random):
        if name == "month" and random.random() < 0.4:
            return lambda value: random.choice([str.upper, str.lower, str.title])(MONTHS[value - 1])
        if name == "weekday" and random.random() < 0.4:
            return lambda value: WEEKDAYS[value]
        return str


class Spec:
    def __init__(self, random):
        self.fields = {name: Field(name, random) for name in BOUNDS}
        if random.random() < 0.5:  # let near ones match often enough to say something
            for name in ("day", "month", "weekday"):
                if random.random() < 0.8:
                    self.fields[name].text, self.fields[name].values = "*", set(range(BOUNDS[name][0], BOUNDS[name][1] + 1))
                    self.fields[name].star = True
        self.text = " ".join(self.fields[name].text for name in BOUNDS)
        self.elapsed = self.fields["minute"].wild or self.fields["hour"].wild

    def is_day(self, day):
        f = self.fields
        if day.month not in f["month"].values:
            return False
        of_month = day.day in f["day"].values
        of_week = (day.weekday() + 1) % 7 in f["weekday"].values
        return of_month or of_week if not f["day"].star and not f["weekday"].star else of_month and of_week

    def matches(self, minutes):
        """Local minutes since the epoch."""
        days, rest = divmod(minutes, 1440)
        hour, minute = divmod(rest, 60)
        return (minute in self.fields["minute"].values and hour in self.fields["hour"].values
                and self.is_day(EPOCH + timedelta(days=days)))

    @property
    def possible(self):
        f = self.fields
        if not f["day"].star and not f["weekday"].star:
            return True
        return any(day <= (29 if month == 2 else 30 if month in (4, 6, 9, 11) else 31) for month in f["month"].values for day in f["day"].values)


def offset_of(zone, minute):
    seconds = datetime.fromtimestamp(minute * 60, timezone.utc).astimezone(zone).utcoffset().total_seconds()
    return int(seconds)


def changes_of(zone, random, count):
    """Minutes at which the offset changes, in random years."""
    found = []
    for _ in range(count * 8):
        if len(found) >= count:
            break
        day = (date(random.randint(1975, 2090), random.randint(1, 12), random.randint(1, 28)) - EPOCH).days * 1440
        low, high = day, day + 200 * 1440
        if offset_of(zone, low) == offset_of(zone, high):
            continue
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if offset_of(zone, middle) == offset_of(zone, low) else (low, middle)
        found.append(high)
    return found


class Window:
    """Every minute around a moment, with what the clock shows."""

    def __init__(self, zone, after):
        self.after = after
        self.minutes = range(after - BACK, after + AHEAD)
        self.local = []
        for minute in self.minutes:
            offset = offset_of(zone, minute)
            if offset % 60:
                raise ValueError
            self.local.append(minute + offset // 60)

    def next(self, spec):
        """The first fire after `after`, or None: none within the window."""
        if spec.elapsed:
            return next((minute for minute, local in zip(self.minutes, self.local) if minute > self.after and spec.matches(local)), None)
        reached = self.local[0]
        for minute, local in zip(self.minutes, self.local):
            if local > reached:
                if minute > self.after and any(spec.matches(skipped) for skipped in range(reached + 1, local + 1)):
                    return minute
                reached = local
        return None


def next_far(spec, after):
    """In UTC, by days, within 45 years."""
    for minute in range(after + 1, (after // 1440 + 1) * 1440):
        if spec.matches(minute):
            return minute
    times = sorted(hour * 60 + minute for hour in spec.fields["hour"].values for minute in spec.fields["minute"].values)
    for days in range(after // 1440 + 1, after // 1440 + 45 * 366):
        if spec.is_day(EPOCH + timedelta(days=days)):
            return days * 1440 + times[0]
    return None


class Agent:
    def __init__(self):
        path = ROOT / "build" / "dev" / "bin" / "conformance_c"
        self.process = subprocess.Popen([path], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.ask("open", {"path": ":memory:", "options": {}})

    def ask(self, name, arguments):
        self.process.stdin.write(json.dumps({"id": 1, "object": "db", "name": name, "arguments": arguments}) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def next(self, spec, zone, after):
        return self.ask("schedules.next", {"spec": spec.text, "timezone": zone, "after": after * 60000})


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", type=int, default=3000)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    choice = random.Random(options.seed)
    agent = Agent()
    passed, failed = 0, 0

    def judge(spec, zone, after, wanted, beyond):
        nonlocal passed, failed
        answer = agent.next(spec, zone, after)
        if not spec.possible:
            good = answer.get("error", {}).get("code") == "INVALID"
        else:
            items = answer.get("result", {}).get("items")
            good = items is not None and (items == [wanted * 60000] if wanted is not None else not items or items[0] >= beyond * 60000)
        passed, failed = passed + good, failed + (not good)
        if not good and failed <= 20:
            print(f"FAIL {spec.text!r} in {zone} after {datetime.fromtimestamp(after * 60, timezone.utc)}: wanted {wanted}, got {answer}")

    while passed + failed < options.cases:
        name = choice.choice(ZONES)
        zone = ZoneInfo(name)
        moments = changes_of(zone, choice, 2) or [(date(choice.randint(1971, 2098), choice.choice([1, 2, 12]), 28) - EPOCH).days * 1440]
        for moment in moments:
            after = moment + choice.randint(-1500, 200)
            try:
                window = Window(zone, after)
            except ValueError:
                continue
            for _ in range(25):
                spec = Spec(choice)
                judge(spec, name, after, window.next(spec), after + AHEAD)
        for _ in range(10):
            spec = Spec(choice)
            after = choice.randint(0, 2000 * 525600 // 15)
            judge(spec, "UTC", after, next_far(spec, after) if spec.possible else None, after + 45 * 366 * 1440)
    print(f"{passed} passed, {failed} failed")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
