"""The picture of the signal flow, from src/cpp/analysis/analyzer.cpp: steps, signals and numbers."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final

from auralis_fp import NAMES
from generate.pages import ROOT
from generate.svg import GREEN, NAVY, SLATE, Box, Drawing, text_width

__all__ = ["Source", "signal_flow"]

_CORE: Final = ROOT / "src/cpp"
_FUNCTIONS: Final = (
    "measure_block",
    "measure_resampled",
    "measure_frames",
)  # from the first to the last signal
_HEIGHT, _PITCH, _INDENT, _GAP, _RIGHT = 26.0, 34.0, 24.0, 6.0, 860.0


@dataclass
class Step:
    """A step of the analyzer: its signal, the steps that it feeds, and the numbers that it measures."""

    name: str
    signal: str = ""
    next: list[Step] = field(default_factory=list)
    dimensions: list[str] = field(default_factory=list)
    metadata: list[str] = field(default_factory=list)

    @property
    def text(self) -> str:
        """Return the text in the step's box."""
        return f"{self.name} → {self.signal}" if self.signal else self.name


def signal_flow() -> str:
    """Return the picture as SVG."""
    first = Source((_CORE / "analysis/analyzer.cpp").read_text("utf-8")).steps()
    drawing = Drawing(
        "The signal flow: the decoder feeds the steps of the analyzer, which yield the 25 numbers"
    )
    rows = list(_rows(first, 0))
    results = 16 + max(_width(step, depth) for step, depth in rows if step.dimensions or step.metadata)
    y, boxes = 1.0, {}
    for step, depth in rows:
        box = Box(1 + depth * _INDENT, y, text_width(step.text) + 26, _HEIGHT, step.text, NAVY, bold=True)
        boxes[id(step)] = box
        drawing.boxes.append(box)
        x, fill = results, GREEN if step.dimensions else SLATE
        for name in step.dimensions or step.metadata:
            if x + text_width(name) + 16 > _RIGHT:
                x, y = results, y + _PITCH
            drawing.boxes.append(Box(x, y, text_width(name) + 16, _HEIGHT, name, fill))
            x = drawing.boxes[-1].right + _GAP
        y += _PITCH
    for step, _ in rows:
        for after in step.next:
            start, end = boxes[id(step)], boxes[id(after)]
            drawing.line(
                [(start.x + 12, start.y + _HEIGHT), (start.x + 12, end.middle), (end.x, end.middle)],
                arrow=True,
            )
    return drawing.markup()


def _rows(step: Step, depth: int) -> Iterator[tuple[Step, int]]:
    yield step, depth
    for after in sorted(step.next, key=lambda after: bool(after.next)):  # short branches first
        yield from _rows(after, depth + 1)


def _width(step: Step, depth: int) -> float:
    return depth * _INDENT + text_width(step.text) + 26


class Source:
    """The analyzer's source, read as far as the picture needs it."""

    def __init__(self, source: str) -> None:
        self.source = source
        headers = {path.stem: path.read_text("utf-8") for path in (_CORE / "features").glob("*.h")}
        headers |= {path.stem: path.read_text("utf-8") for path in (_CORE / "dsp").glob("*.h")}
        self.classes = {
            kind: text for text in headers.values() for kind in re.findall(r"^class (\w+)", text, re.M)
        }
        self.functions = {
            function: name
            for name, text in headers.items()
            for function in re.findall(r"^(?!inline|template)[\w:<>]+ (\w+)\(", text, re.M)
        }
        members = re.findall(r"^    (\w+) (\w+_);$", source, re.M)
        self.members = {name: Step(_title(kind)) for kind, name in members if kind in self.classes}
        self.kinds = {name: kind for kind, name in members}

    def steps(self) -> Step:
        """Return the first step, with all others behind it."""
        decoder = Step("Decoder", f"channels, {self._section(_FUNCTIONS[0])}")
        made_by = {"channels": decoder}
        for function in _FUNCTIONS:
            for statement in self._body(function).split(";"):
                for name, arguments in re.findall(r"(\w+_)\.(?:push|apply|compute)\((.*)", statement, re.S):
                    self._connect(name, arguments, statement, made_by)
        self._collect()
        for name in re.findall(r"(\w+_)\.finish\(\)", self._body("finish").split("return")[1]):
            values = re.search(r"struct Values \{(.*?)\n    \};", self.classes[self.kinds[name]], re.S)
            self.members[name].metadata = re.findall(r"(\w+)(?: = [^;]*)?;", values[1] if values else "")
        return decoder

    def _connect(self, name: str, arguments: str, statement: str, made_by: dict[str, Step]) -> None:
        step, words = self.members[name], re.findall(r"\w+", arguments)
        signals = [word for word in words if word in made_by]
        made_by[signals[-1]].next.append(step)
        outputs = [word for word in words if word.endswith("_") and word not in made_by]
        outputs += re.findall(r"\[this\]\(.*?(\w+)\)", arguments)
        for binding in re.findall(r"auto \[(.*?)\]", statement):
            outputs += binding.split(", ")
        note = ""
        for function in re.findall(r"(\w+)\(\w+_\.", statement):
            outputs += re.findall(rf"\b{function}\(.* (\w+)\) \{{", self.source)
            note = f", {self._section(function)}"
        made_by.update(dict.fromkeys(outputs, step))
        step.signal = ", ".join(output.rstrip("_") for output in outputs) + note

    def _collect(self) -> None:
        """Find the step behind every dimension."""
        body = self._body("finish") + self._body("collect") + self._body("Analyzer::finish", indented="")
        lists = {
            name: re.findall(r"\w+", names)
            for name, names in re.findall(r"array (\w+) = \{(.*?)\}", body, re.S)
        }
        behind: dict[str, Step] = {}
        for statement in body.split(";"):
            target, _, value = " ".join(statement.split()).partition(" = ")
            step = self._behind(value, behind)
            if step is None:
                continue
            if dimension := re.search(r"\bf\[(\w+)", target):
                step.dimensions += lists.get(dimension[1], [dimension[1]])
            elif variable := re.search(r"(\w+)$", target):
                behind[variable[1]] = step
        steps = {id(step): step for step in [*self.members.values(), *behind.values()]}
        found = sorted(name for step in steps.values() for name in step.dimensions)
        if found != sorted(NAMES):
            raise ValueError(f"dimensions without a step, or with two: {set(found) ^ set(NAMES) or found}")

    def _behind(self, value: str, behind: dict[str, Step]) -> Step | None:
        for function, arguments in re.findall(r"\b(\w+)\(([^()]*)", value):
            if function in self.functions:
                source = next(behind[word] for word in re.findall(r"\w+", arguments) if word in behind)
                title = _title(self.functions[function])
                if title not in (step.name for step in source.next):
                    source.next.append(Step(title))
                return next(step for step in source.next if step.name == title)
        names = {**behind, **self.members}
        return next((names[word] for word in re.findall(r"\w+", value) if word in names), None)

    def _body(self, function: str, indented: str = "    ") -> str:
        start = re.search(rf"\b{function}\([^()]*\) (?:const )?\{{\n", self.source)
        if start is None:
            raise ValueError(f"analyzer.cpp has no function {function}")
        end = self.source.index(f"\n{indented}}}\n", start.end())
        return self.source[start.end() : end]

    def _section(self, function: str) -> str:
        """Return the heading of the section that a function stands in."""
        before = self.source[: self.source.index(f"void {function}(")]
        return str(re.findall(r"// --- (.*?) -+\n", before)[-1])


def _title(name: str) -> str:
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|_", " ", name)
    return {"Stft": "STFT"}.get(words, words.capitalize())
