"""Write a chat template as the Go template of an Ollama Modelfile.

A chat template is a program. Its text around the messages is found by rendering marked messages;
a template that does not write the same text around each kind of message has no Go form here.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kofinlaw import UserError
from kofinlaw.models.templates import ChatTemplate

__all__ = ["Surroundings", "go_template", "rendered_by_go", "surroundings"]

_MARKS = tuple(f"\u241f{number}\u241f" for number in range(5))
GO_SECONDS = 600  # the first call compiles Go's standard library


@dataclass(frozen=True)
class Surroundings:
    """The texts that a template writes around messages.

    - `first` before a first question, `system` before a system text, `after_system` between a
      system text and the first question.
    - `to_answer` between question and answer, `to_question` between answer and question.
    - `opened` after a last question, where the assistant's turn is opened.
    """

    first: str
    system: str
    after_system: str
    to_answer: str
    to_question: str
    opened: str

    def render(self, messages: Sequence[Mapping[str, str]]) -> str:
        """Return the text of a dialogue, as the Go template writes it."""
        text, before = "", ""
        for message in messages:
            role = message["role"]
            if role == "system":
                text += self.system
            elif role == "assistant":
                text += self.to_answer
            elif not before:
                text += self.first
            else:
                text += self.after_system if before == "system" else self.to_question
            text += message["content"]
            before = role
        return text + self.opened


def surroundings(template: ChatTemplate, *, without_bos: bool) -> Surroundings | None:
    """Return the texts around messages; None for a template that refuses such dialogues, or writes
    a message twice or not at all.

    Args:
        template: The chat template.
        without_bos: Leave out the BOS token at the start, because the program that reads the text
            adds it.
    """

    def parts(*roles: str) -> list[str] | None:
        messages = [
            {"role": role, "content": mark} for role, mark in zip(roles, _MARKS, strict=False)
        ]
        try:
            text = template.render(messages, add_generation_prompt=True)
        except UserError:
            return None
        out = []
        for mark in _MARKS[: len(roles)]:
            before, found, text = text.partition(mark)
            if not found or any(other in before for other in _MARKS):
                return None
            out.append(before)
        out[0] = out[0].removeprefix(template.bos) if without_bos else out[0]
        return None if any(mark in text for mark in _MARKS) else [*out, text]

    plain = parts("user", "assistant", "user")
    both = parts("system", "user")
    if plain is None:
        return None
    # A template without system texts gets them as the beginning of the first question.
    system, after = (both[0], both[1]) if both is not None else (plain[0], "\n\n")
    return Surroundings(plain[0], system, after, plain[1], plain[2], plain[3])


def go_template(around: Surroundings) -> str:
    """Return the Go template; texts are quoted, so that no blank of them can get lost."""

    def quoted(text: str) -> str:
        return f"{{{{ {json.dumps(text, ensure_ascii=False)} }}}}" if text else ""

    return (
        '{{ $before := "" }}{{ range .Messages }}'
        f'{{{{ if eq .Role "system" }}}}{quoted(around.system)}'
        f'{{{{ else if eq .Role "assistant" }}}}{quoted(around.to_answer)}'
        f'{{{{ else if eq $before "" }}}}{quoted(around.first)}'
        f'{{{{ else if eq $before "system" }}}}{quoted(around.after_system)}'
        f"{{{{ else }}}}{quoted(around.to_question)}{{{{ end }}}}"
        "{{ .Content }}{{ $before = .Role }}{{ end }}"
        f"{quoted(around.opened)}"
    )


_PROGRAM = """package main

import (
	"encoding/json"
	"os"
	"strings"
	"text/template"
)

func main() {
	var asked struct {
		Template  string
		Dialogues [][]struct{ Role, Content string }
	}
	if err := json.NewDecoder(os.Stdin).Decode(&asked); err != nil {
		panic(err)
	}
	made := template.Must(template.New("").Parse(asked.Template))
	texts := []string{}
	for _, messages := range asked.Dialogues {
		var text strings.Builder
		if err := made.Execute(&text, map[string]any{"Messages": messages}); err != nil {
			panic(err)
		}
		texts = append(texts, text.String())
	}
	json.NewEncoder(os.Stdout).Encode(texts)
}
"""


def rendered_by_go(
    template: str, dialogues: Sequence[Sequence[Mapping[str, str]]]
) -> list[str] | None:
    """Return dialogues as Go's own `text/template` renders them; None without Go on the PATH.

    Raises UserError if Go refuses the template.
    """
    go = shutil.which("go")
    if go is None:
        return None
    # Ollama's names of the fields; no network, and nothing outside the temporary folder and caches.
    asked = {"Template": template, "Dialogues": dialogues}
    with tempfile.TemporaryDirectory(prefix="kofinlaw-go-") as folder:
        program = Path(folder) / "render.go"
        program.write_text(_PROGRAM, encoding="utf-8")
        offline = {"GOTOOLCHAIN": "local", "GOPROXY": "off", "GO111MODULE": "off", "GOFLAGS": ""}
        done = subprocess.run(
            [go, "run", str(program)],
            input=json.dumps(asked, ensure_ascii=False),
            capture_output=True,
            text=True,
            encoding="utf-8",
            timeout=GO_SECONDS,
            check=False,
            env={**os.environ, **offline},
        )
    if done.returncode:
        raise UserError(f"Go refuses the template: {done.stderr[-300:]}", where="Modelfile")
    texts = json.loads(done.stdout)
    return [str(text) for text in texts]
