# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Builds the test programs once, with every mutant of common/ in them."""

import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor

from places import find
from rewrite import rewrite
from run import Program

STEP = 500  # a file's mutants are numbered from a multiple of this: few files change with one
FLAGS = ["-std=gnu11", "-I.", "-D_GNU_SOURCE", "-D_FILE_OFFSET_BITS=64",
         '-DMIRRORBOOT_VERSION="mutate"']
SANITIZERS = ["-fsanitize=address,undefined", "-fno-sanitize-recover=all"]
NOT_LINKED = ("freestanding", "menu_offer")  # as in the Makefile


class Builder:
    def __init__(self, root, build, jobs):
        self.root, self.build, self.jobs = root, build, jobs
        self.folder = build / "mutate"
        self.source = self.folder / "src"
        self.mutants = []

    def each(self, what, items):
        with ThreadPoolExecutor(self.jobs) as pool:
            return list(pool.map(what, items))

    # ---- sources -------------------------------------------------------------------------------
    def mutate(self):
        paths = [str(p.relative_to(self.root))
                 for p in sorted((self.root / "common").glob("*.[ch]"))]
        (self.source / "common").mkdir(parents=True, exist_ok=True)
        number = 1
        for path, (text, mutants) in zip(paths, self.each(
                lambda p: find(self.root, p, FLAGS), paths)):
            for m in mutants:
                m.number = number
                number += 1
            number = (number + STEP - 1) // STEP * STEP + 1
            self.mutants += mutants
            self.put(self.source / path, rewrite(text, mutants))
        gone = {self.source / p for p in paths}
        for old in (self.source / "common").glob("*.[ch]"):
            if old not in gone:
                old.unlink()
        return self.mutants

    @staticmethod
    def put(path, text):
        data = text.encode("latin-1")
        if not path.exists() or path.read_bytes() != data:
            path.write_bytes(data)

    # ---- objects -------------------------------------------------------------------------------
    def fresh(self, out):
        deps = out.with_suffix(".d")
        if not out.exists() or not deps.exists():
            return False
        names = deps.read_text().replace("\\\n", " ").split(":", 1)[1].split()
        made = out.stat().st_mtime_ns
        return all((self.root / n).exists() and (self.root / n).stat().st_mtime_ns <= made
                   for n in names)

    def compile(self, job):
        """A source below the root, or a mutated one; gives the object."""
        path, kind, more = job
        out = self.folder / kind / (path[:-2] + ".o")
        if not self.fresh(out):
            out.parent.mkdir(parents=True, exist_ok=True)
            where = self.source / path if path.startswith("common/") else path
            self.call(["gcc", "-O1", "-w", f"-I{self.source}", *FLAGS, "-include",
                       "tests/mutate/mutant.h", "-MMD", *more, "-c", str(where), "-o", str(out)])
        return out

    def call(self, command):
        done = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(command)}\n{done.stderr[:4000]}")

    def link(self, job):
        out, objects, libs = job
        if not out.exists() or any(o.stat().st_mtime_ns > out.stat().st_mtime_ns for o in objects):
            out.parent.mkdir(parents=True, exist_ok=True)
            self.call(["gcc", "-o", str(out), *map(str, objects), *libs])

    def objects(self, paths, kind="plain", more=()):
        return self.each(self.compile, [(p, kind, list(more)) for p in paths])

    def names(self, pattern):
        return [str(p.relative_to(self.root)) for p in sorted(self.root.glob(pattern))]

    def common(self):
        return [p for p in self.names("common/*.c")
                if p.split("/")[1][:-2] not in NOT_LINKED]

    def extra(self, kind):
        """What the Makefile links into single programs: a line $(O)/unit/NAME: $(O)/host/FILE.o"""
        out = {}
        for name, rest in re.findall(rf"^\$\(O\)/{kind}/(\w+): (.*)$",
                                     (self.root / "Makefile").read_text(), re.M):
            out.setdefault(name, []).extend(
                f + ".c" for f in re.findall(r"\$\(O\)/(?:host|smoke-obj)/(\S+)\.o", rest))
        return out

    def server(self, kind, more=()):
        last = self.mutants[-1].number if self.mutants else 0
        count = (last + 4999) // 5000 * 5000
        self.put(self.source / "mutants.h", f"#define MUTANTS {count}\n")
        return self.compile(("tests/mutate/server.c", kind, [*more]))

    # ---- programs ------------------------------------------------------------------------------
    def programs(self, kind, tests, helpers, more=(), libs=(), args=(), ready=(), flavour="plain",
                 without_tests=False, own_args=lambda name: ()):
        extra = self.extra("unit" if kind == "sanitized" else kind)
        server = self.server(flavour + ("-bare" if without_tests else ""),
                             [*more, *(["-DWITHOUT_TESTS"] if without_tests else [])])
        shared = self.objects([*self.common(), *helpers], flavour, more)
        out, jobs = [], []
        for test in self.objects(tests, flavour, more):
            name = test.stem  # of the object, as of the source
            own = self.objects(extra.get(name, ()), flavour, more)
            program = self.folder / kind / name
            jobs.append((program, [server, test, *own, *shared, *ready], [*more, *libs]))
            out.append(Program(name, program, [*args, *own_args(name)], kind))
        self.each(self.link, jobs)
        return out

    def unit(self):
        return self.programs("unit", self.names("tests/unit/test_*.c"),
                             self.names("tests/unit/help*.c"), libs=("-lcmocka", "-lz", "-ldl"))

    def sanitized(self):
        """The same as `make unit SAN=1`."""
        return self.programs("sanitized", self.names("tests/unit/test_*.c"),
                             self.names("tests/unit/help*.c"), more=SANITIZERS,
                             flavour="sanitized", libs=("-lcmocka", "-lz", "-ldl"))

    def sims(self):
        libs = subprocess.run(["pkg-config", "--libs", "json-c", "mount", "blkid", "fdisk"],
                              capture_output=True, text=True, check=True).stdout.split()
        tools = [o for o in sorted((self.build / "host/tools").glob("*.o")) if o.stem != "main"]
        helpers = re.search(r"^SIM_HELP := (.*)$", (self.root / "Makefile").read_text(), re.M)[1]
        tests = [t for t in self.names("tests/sim/sim_*.c")
                 if t != "tests/sim/sim_request.c"]  # of efi/, built in another way
        return self.programs("sim", tests,
                             [*self.names("tests/sim/crash*.c"),
                              *re.findall(r"tests/unit/\w+\.c", helpers)], ready=tools,
                             libs=(*libs, "-lcmocka", "-lz", "-ldl"))

    def seeds(self, name):
        """The folders of a target's seeds, as tests/fuzz/fuzz.py has them."""
        sys.path.insert(0, str(self.root / "tests/fuzz"))
        import fuzz
        return list(fuzz.folders(name.removeprefix("fuzz_")))

    def smoke(self):
        return self.programs("fuzz-smoke", self.names("tests/fuzz/fuzz_*.c"),
                             ["tests/fuzz/smoke.c"], more=SANITIZERS, flavour="sanitized",
                             args=["-m", "20"], own_args=self.seeds, without_tests=True)
