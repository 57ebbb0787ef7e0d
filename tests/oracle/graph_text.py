# SPDX-License-Identifier: GPL-2.0-or-later
"""The call trees that 'trace-cmd report' shows by indentation, to compare with ours.

A line of its text is an entry, an exit, or both of a function that calls nothing. What calls a function is
the last line of its task that is indented less and has not been closed since; the idle tasks of
all CPUs are told apart by CPU. No record's number of depth is looked at, and no record: text alone.
"""
import collections
import json
import re
import subprocess

LINE = re.compile(r"-(\d+) +\[(\d+)\] +(?:\S{5} +)?(\d+)\.(\d+): +funcgraph_(entry|exit): +(.*?)\|"
                  r"( *)(.*)$")
SYSCALL = re.compile(r"__[a-z]\w*_sys_\w+$")
DURATION = re.compile(r"(\d+)(?:\.(\d+))? us")
Frame = collections.namedtuple("Frame", "indent index")


class Tree:
    """Nodes of a task, in the order of their entries: [time, function, parent's index, duration]."""

    def __init__(self):
        self.nodes, self.stack, self.displaced = [], [], []

    def enter(self, time, name, indent):
        while self.stack and self.stack[-1].indent >= indent:
            self.displaced.append(self.stack.pop())
        parent = self.stack[-1].index if self.stack else None
        self.stack.append(Frame(indent, len(self.nodes)))
        self.nodes.append([time, name, parent, None])

    def leave(self, indent, duration):
        """A bracket closes the line above it of its indentation."""
        for frames in (self.stack, self.displaced):
            for at in range(len(frames) - 1, -1, -1):
                if frames[at].indent == indent:
                    self.nodes[frames[at].index][3] = duration
                    del frames[at if frames is self.displaced else slice(at, None)]
                    return
                if frames is self.stack and frames[at].indent < indent:
                    break


def read_duration(text):
    """Nanoseconds; of more than a second fewer digits are shown, and the others are None."""
    found = DURATION.search(text)
    return (int(found[1] + (found[2] or "").ljust(3, "0")), 10 ** (3 - len(found[2] or ""))) \
        if found else None


def trace_cmd_nodes(path):
    """Task -> list of [time, function, parent's index, duration]."""
    trees = collections.defaultdict(Tree)
    with subprocess.Popen(["trace-cmd", "report", "-t", path], stdin=subprocess.DEVNULL,
                          stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True,
                          errors="replace") as report:
        for line in report.stdout:
            found = LINE.search(line)
            if not found:
                continue
            pid, cpu, seconds, parts, kind, duration, indent, what = found.groups()
            tree = trees[int(pid) or -1 - int(cpu)]
            if kind == "entry":
                tree.enter(int(seconds + parts), what.split("(")[0], len(indent))
            if kind == "exit" or what.endswith(";"):
                tree.leave(len(indent), read_duration(duration))
    if report.returncode:
        raise RuntimeError("trace-cmd report: exit status %d" % report.returncode)
    return {task: tree.nodes for task, tree in trees.items()}


def with_parents(trees):
    """Task -> list of (time, function, parent's time, parent's function, duration)."""
    result = {}
    for task, nodes in trees.items():
        result[task] = [
            (time, name) + (tuple(nodes[parent][:2]) if parent is not None else (None, None)) +
            (duration,) for time, name, parent, duration in nodes]
    return result


def number(word):
    return None if word == "-" else int(word)


def our_trees(text):
    """The same of what tests/oracle/graph prints."""
    result = collections.defaultdict(list)
    for line in text.splitlines():
        task, time, name, parent_time, parent, duration = line.split(" ")
        result[int(task)].append((int(time), name, number(parent_time),
                                  None if parent == "-" else parent, number(duration)))
    return result


def same_time(mine, other):
    if mine is None or other is None:
        return mine is other
    shown, unit = other
    return mine // unit * unit == shown


def difference(ours, theirs):
    """What the first task that is not the same has first, as text; None when all are the same.

    Of several names that a function has each of us takes one, but always the same.
    """
    names = {}
    for task in sorted(set(ours) | set(theirs)):
        mine, other = ours.get(task, []), theirs.get(task, [])
        if len(mine) != len(other):
            return "task %d: %d functions, trace-cmd has %d" % (task, len(mine), len(other))
        for at, (left, right) in enumerate(zip(mine, other)):
            if (left[0], left[2]) != (right[0], right[2]) or not same_time(left[4], right[4]) or \
                    any(names.setdefault(left[i], right[i]) != right[i] for i in (1, 3)):
                return "task %d, function %d of it: ours %s, trace-cmd's %s" % (task, at, left, right)
    aliases = sum(name != other for name, other in names.items())
    return "%d names differ" % aliases if aliases > len(names) // 50 + 1 else None


def merged_theirs(trees):
    """Functions from a system call down to one -> [how often, nanoseconds], of all tasks."""
    merged = collections.defaultdict(lambda: [0, 0])
    for nodes in trees.values():
        paths = []
        for _, name, parent, duration in nodes:
            path = (name,) if parent is None or SYSCALL.match(name) else paths[parent] + (name,)
            paths.append(path)
            merged[path][0] += 1
            merged[path][1] += duration[0] if duration else 0
    return merged


def merged_ours(lines):
    """The same of what 'calls --json --full' prints, without what interrupts did."""
    merged = collections.defaultdict(lambda: [0, 0])

    def walk(node, above):
        path = above + (node["function"],)
        merged[path][0] += node["count"]
        merged[path][1] += node.get("total_ns", 0)
        for child in node["calls"]:
            walk(child, path)

    for line in lines:
        walk(json.loads(line)["tree"], ())
    return merged


def merged_difference(ours, theirs):
    """What is not in both, of the paths that begin with a system call of ours; None: nothing."""
    roots = {path[0] for path in ours}
    calls = collections.Counter({root: theirs.get((root,), [0])[0] for root in roots})
    for path, numbers in ours.items():
        # A system call that may be about a file is only partly ours.
        if numbers != theirs.get(path) and ours[path[:1]][0] == calls[path[0]]:
            return "%s: %s, trace-cmd has %s" % (" > ".join(path), numbers, theirs.get(path))
        if numbers[0] > theirs.get(path, [0])[0]:
            return "%s: %s, trace-cmd has %s" % (" > ".join(path), numbers, theirs.get(path))
    return None if ours else "there are none"
