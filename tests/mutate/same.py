# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Mutants that the compiler makes the same code of: no input can tell them apart."""

import subprocess


class Compiler:
    def __init__(self, root, flags):
        self.root, self.flags = root, flags
        self.plain = {}

    def code(self, text):
        done = subprocess.run(["gcc", "-O2", "-w", "-fno-ident", "-S", "-x", "c", *self.flags,
                               "-o", "-", "-"], cwd=self.root, input=text.encode("latin-1"),
                              capture_output=True, check=False)
        return done.stdout if done.returncode == 0 else None

    def changed(self, mutant, text):
        if mutant.form in ("gone", "block"):
            after = "(void)0"
        else:
            after = f"({mutant.after})"
        return text[:mutant.begin] + after + text[mutant.end:]

    def is_same(self, mutant):
        if not mutant.path.endswith(".c"):
            return False
        text = (self.root / mutant.path).read_bytes().decode("latin-1")
        if mutant.path not in self.plain:
            self.plain[mutant.path] = self.code(text)
        code = self.code(self.changed(mutant, text))
        return code is not None and code == self.plain[mutant.path]
