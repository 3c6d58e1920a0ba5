# SPDX-License-Identifier: BSD-2-Clause
# Copyright (c) 2026, The mirrorboot authors
"""Where a C file can be mutated, and into what, from clang's syntax tree.

Only functions are looked at, never tables and types. What a macro expands to is one piece: it can
be replaced as a whole. A condition is replaced by what it never is (0 or 1), not negated: whatever
sees the one sees the other. Mutants that would do the same as another one are not made.
"""

import json
import re
import subprocess
from dataclasses import dataclass, field

COMPARE = {"<": "<=", "<=": "<", ">": ">=", ">=": ">", "==": None, "!=": None}
# What a constant beside such a comparison is changed by: the other way than the comparison is.
BESIDE = {"<": " - 1", "<=": " + 1", ">": " + 1", ">=": " - 1", "==": " + 1", "!=": " + 1"}
ARITHMETIC = {"+": "-", "-": "+", "<<": ">>", ">>": "<<", "&": "|", "|": "&", "^": "|", "*": "+",
              "/": "*", "%": "/"}
TRANSPARENT = ("ImplicitCastExpr", "ParenExpr", "ConstantExpr", "CStyleCastExpr")
UNSIGNED = re.compile(r"\b(u?int(8|16|32|64)_t|size_t|unsigned|_Bool|bool)\b")


@dataclass
class Mutant:
    path: str
    line: int
    function: str
    operator: str
    begin: int
    end: int
    before: str
    after: str
    form: str  # how `after` is put in: value, truth, gone (an expression's statement), block
    number: int = 0
    times: int = 1  # the how-many-th of its key
    key: str = field(default="", repr=False)


def short(text):
    text = re.sub(r"/\*.*?\*/", " ", text, flags=re.S)
    return re.sub(r"\s+", " ", text).strip()


class Finder:
    def __init__(self, path, text, tree):
        self.path, self.text = path, text
        self.mutants = []
        self.enums = {}
        self.function = ""
        for node in tree.get("inner", []):
            if node["kind"] == "EnumDecl":
                self.enum(node)
        for node in tree.get("inner", []):
            if node["kind"] == "FunctionDecl" and "includedFrom" not in node["loc"] and \
                    "offset" in node["loc"]:
                body = [c for c in node.get("inner", []) if c["kind"] == "CompoundStmt"]
                if body:
                    self.function = node["name"]
                    self.statement(body[0], more=False)

    def enum(self, node):
        at = 0
        for c in node.get("inner", []):
            if c["kind"] != "EnumConstantDecl":
                continue
            for inner in c.get("inner", []):
                if "value" in inner:
                    at = int(inner["value"])
            self.enums[c["name"]] = at
            at += 1

    # ---- places in the text --------------------------------------------------------------------
    def macro_end(self, offset):
        """Behind a macro's use: its name, and its arguments when it has some."""
        end = offset + re.compile(r"\w+").match(self.text, offset).end() - offset
        behind = re.compile(r"\s*\(").match(self.text, end)
        if not behind:
            return end
        depth = 0
        for i in range(behind.end() - 1, len(self.text)):
            depth += {"(": 1, ")": -1}.get(self.text[i], 0)
            if depth == 0:
                return i + 1
        return end

    def span(self, node):
        """(begin, end, whether all of it comes from one macro)"""
        begin, end = node["range"]["begin"], node["range"]["end"]
        b = begin.get("expansionLoc", begin)
        e = end.get("expansionLoc", end)
        if "offset" not in b or "offset" not in e:
            return None
        first = b["offset"]
        if "expansionLoc" in end:
            last = self.macro_end(e["offset"])
        else:
            last = e["offset"] + e["tokLen"]
        inside = "expansionLoc" in begin and "expansionLoc" in end and b["offset"] == e["offset"]
        return first, last, inside

    def source(self, node):
        b, e, _ = self.span(node)
        return self.text[b:e]

    def add(self, node, operator, after, form="value"):
        b, e, _ = self.span(node)
        line = self.text.count("\n", 0, b) + 1
        self.mutants.append(Mutant(self.path, line, self.function, operator, b, e,
                                   short(self.text[b:e]), after, form))

    # ---- what expressions are ------------------------------------------------------------------
    @staticmethod
    def bare(node):
        while node["kind"] in TRANSPARENT and node.get("inner"):
            node = node["inner"][-1]
        return node

    def value(self, node):
        """A constant's value; None when it is none, or when it is not simple."""
        node = self.bare(node)
        if node["kind"] == "IntegerLiteral":
            return int(node["value"])
        if node["kind"] == "CharacterLiteral":
            return int(node["value"])
        if node["kind"] == "DeclRefExpr" and node["referencedDecl"]["kind"] == "EnumConstantDecl":
            return self.enums.get(node["referencedDecl"]["name"])
        return None

    def is_constant(self, node):
        node = self.bare(node)
        if node["kind"] in ("IntegerLiteral", "CharacterLiteral", "UnaryExprOrTypeTraitExpr",
                            "OffsetOfExpr"):
            return True
        if node["kind"] == "DeclRefExpr":
            return node["referencedDecl"]["kind"] == "EnumConstantDecl"
        if node["kind"] in ("BinaryOperator", "UnaryOperator", "ConditionalOperator"):
            return all(self.is_constant(c) for c in node["inner"])
        return False

    def does_something(self, node):
        """Must it still be done when nobody looks at its result?"""
        kind = node["kind"]
        if kind == "CompoundAssignOperator" or kind == "BinaryOperator" and node["opcode"] == "=":
            return True
        if kind == "UnaryOperator" and node["opcode"] in ("++", "--"):
            return True
        if kind == "CallExpr" and self.writes(node):
            return True
        return any(self.does_something(c) for c in node.get("inner", []))

    @staticmethod
    def writes(call):
        """By what it takes, a pointer through which it can write, or gives back, a status."""
        if call["type"]["qualType"] == "enum status":
            return True
        for arg in call["inner"][1:]:
            kind = arg["type"]["qualType"]
            if "*" in kind and not kind.startswith("const "):
                return True
        return False

    # ---- expressions ---------------------------------------------------------------------------
    def truth(self, node, wants):
        """A condition: what it is replaced by."""
        keep = f"(void)({self.source(node)}), " if self.does_something(node) else ""
        for want in sorted(wants):
            self.add(node, "condition", f"{keep}{want}", "truth")

    def condition(self, node, wants, chained=None):
        """chained: the operator whose operand it is"""
        node = self.bare(node)
        if not self.span(node) or self.span(node)[2]:
            if self.span(node) and self.source(node) not in ("true", "false", "1", "0"):
                self.truth(node, wants)
            return
        kind, op = node["kind"], node.get("opcode")
        if kind == "BinaryOperator" and op in ("&&", "||"):
            left, right = node["inner"]
            if op != chained:  # a && b && c: each of the three, not two of them at once
                self.truth(node, wants)
            self.swap(node, op, "||" if op == "&&" else "&&")
            for child in (left, right):
                self.condition(child, {1} if op == "&&" else {0}, op)
        elif kind == "UnaryOperator" and op == "!":
            self.condition(node["inner"][0], {1 - w for w in wants})
        elif kind == "BinaryOperator" and op in COMPARE:
            self.truth(node, wants)
            self.compare(node, op)
        elif kind == "IntegerLiteral":
            pass
        else:
            self.truth(node, wants)
            if kind == "CallExpr":
                if self.writes(node):
                    self.add(node, "call", "1", "truth")
                self.arguments(node)
            elif kind == "BinaryOperator" and op == "&":
                # flags & ONE: with | it would always be true, as a replaced condition is
                for child in node["inner"]:
                    self.expression(child)
            else:
                self.expression(node, known=True)

    def swap(self, node, old, new, operator="operator"):
        left, right = node["inner"]
        a, b = self.span(left), self.span(right)
        between = self.text[a[1]:b[0]]
        changed = re.sub(r"/\*.*?\*/", "", between, flags=re.S).replace(old, new, 1)
        self.add(node, operator, self.text[a[0]:a[1]] + changed + self.text[b[0]:b[1]])

    def compare(self, node, op):
        left, right = node["inner"]
        for side, other in ((left, right), (right, left)):
            if self.is_constant(side) and not self.is_constant(other):
                break
        else:
            side = other = None
        value = self.value(side) if side else None
        unsigned = UNSIGNED.search(left["type"]["qualType"]) is not None
        if side is left and op not in ("==", "!="):
            value = None  # C < x: seldom, and nothing is left out then
        if COMPARE[op]:
            never = unsigned and value == 0 and op in (">", "<=")
            if not (never and op == ">"):
                self.swap(node, op, COMPARE[op])
        if side:
            b, e, _ = self.span(side)
            below = unsigned and (op == "<" and value == 1 or op == ">=" and value == 1 or
                                  op in ("<", ">=") and value == 0)
            # Whether two things are the same has no bound, unless one of them counts.
            named = op in ("==", "!=") and (
                self.bare(other)["kind"] == "CallExpr" or self.pointer(other) or
                self.bare(side)["kind"] in ("DeclRefExpr", "CharacterLiteral"))
            if not below and not named:
                sign = BESIDE[op]
                if side is left:
                    sign = {" - 1": " + 1", " + 1": " - 1"}.get(sign, sign) \
                        if op not in ("==", "!=") else sign
                self.add(side, "bound", f"({self.text[b:e]}){sign}")
            self.expression(other)
            return
        self.expression(left)
        self.expression(right)

    @staticmethod
    def pointer(node):
        kind = node["type"].get("desugaredQualType", node["type"]["qualType"])
        return "*" in kind or "[" in kind

    def arguments(self, call):
        self.expression(call["inner"][0], known=True)
        for arg in call["inner"][1:]:
            self.expression(arg)

    def literal(self, node):
        text = self.source(node)
        if text in ("true", "false"):
            self.add(node, "constant", "false" if text == "true" else "true")
            return
        found = re.fullmatch(r"(0[xX][0-9a-fA-F]+|[0-9]+)([uUlL]*)", text)
        if not found:
            return
        value = int(found[1], 0 if found[1].lower().startswith("0x") or found[1] == "0" else 10)
        self.add(node, "constant", {0: "1", 1: "0"}.get(value, str(value + 1)) + found[2])

    def expression(self, node, known=False):
        """known: its own truth or result has been dealt with."""
        node = self.bare(node)
        span = self.span(node) if "range" in node else None
        if not span:
            return
        kind, op = node["kind"], node.get("opcode")
        if kind == "IntegerLiteral":
            self.literal(node)
        if span[2] or kind in ("UnaryExprOrTypeTraitExpr", "OffsetOfExpr", "ImplicitValueInitExpr"):
            return
        if kind == "BinaryOperator" and op in ("&&", "||") or \
                kind == "BinaryOperator" and op in COMPARE or kind == "UnaryOperator" and op == "!":
            self.condition(node, {0, 1})
        elif kind == "CallExpr":
            if not known:
                result = node["type"]["qualType"]
                if result == "enum status":
                    self.add(node, "call", "0 /* ST_OK */")
                elif result in ("_Bool", "bool"):
                    self.condition(node, {0, 1})
                    return
            self.arguments(node)
        elif kind == "ConditionalOperator":
            self.condition(node["inner"][0], {0, 1})
            self.expression(node["inner"][1])
            self.expression(node["inner"][2])
        elif kind == "BinaryOperator" and op in ARITHMETIC:
            left, right = node["inner"]
            new = ARITHMETIC[op]
            if not (op in "+-" and self.pointer(right)):
                self.swap(node, op, new)
            self.expression(left)
            self.expression(right)
        elif kind == "CompoundAssignOperator":
            if op[:-1] in ARITHMETIC:
                self.swap(node, op, ARITHMETIC[op[:-1]] + "=")
            for child in node["inner"]:
                self.expression(child)
        elif kind == "UnaryOperator" and op in ("~", "-") and not self.is_constant(node):
            self.add(node, "operator", self.source(node["inner"][0]))
            self.expression(node["inner"][0])
        elif kind == "InitListExpr":
            if short(self.source(node)).replace(" ", "") not in ("{0}", "{}"):
                for child in node.get("inner", []):
                    self.expression(child)
        else:
            for child in node.get("inner", []):
                self.expression(child)

    # ---- statements ----------------------------------------------------------------------------
    def drop(self, node):
        self.add(node, "drop", "", "block")

    def alone(self, node):
        """The one simple statement that it is, or has in its braces."""
        if node["kind"] == "CompoundStmt":
            return len(node.get("inner", [])) == 1 and self.alone(node["inner"][0])
        return not node["kind"].endswith("Stmt") or \
            node["kind"] in ("ReturnStmt", "BreakStmt", "ContinueStmt")

    def statement(self, node, more, single=False):
        """more: something comes behind it; single: a condition replaced has left it out already."""
        kind = node.get("kind")
        if not kind:
            return
        inner = node.get("inner", [])
        if self.span(node) and self.span(node)[2]:
            if not single:
                self.drop(node)
        elif kind == "CompoundStmt":
            for i, child in enumerate(inner):
                self.statement(child, more or i + 1 < len(inner), single)
        elif kind == "IfStmt":
            self.condition(inner[0], {0, 1})
            only = len(inner) == 2 and self.alone(inner[1])
            self.statement(inner[1], more, only)
            if len(inner) > 2:
                self.statement(inner[2], more)
        elif kind in ("WhileStmt", "DoStmt"):
            cond, body = inner if kind == "WhileStmt" else inner[::-1]
            self.condition(cond, {0})
            self.statement(body, True)
        elif kind == "ForStmt":
            init, _, cond, inc, body = inner
            self.statement(init, True, single=True)
            if cond.get("kind"):
                self.condition(cond, {0})
            if inc.get("kind"):
                self.expression(inc)
            self.statement(body, True)
        elif kind == "SwitchStmt":
            self.expression(inner[0])
            self.statement(inner[-1], more)
        elif kind in ("CaseStmt", "DefaultStmt", "LabelStmt"):
            self.statement(inner[-1], more)
        elif kind == "DeclStmt":
            for decl in inner:
                if decl["kind"] == "VarDecl" and decl.get("storageClass") != "static" and \
                        "init" in decl:
                    self.expression(decl["inner"][-1])
        elif kind == "ReturnStmt":
            if more and not single:
                self.drop(node)
            if inner:
                self.result(inner[0])
        elif kind in ("BreakStmt", "ContinueStmt"):
            if more and not single:
                self.drop(node)
        elif not kind.endswith("Stmt"):
            bare = self.bare(node)
            if self.span(bare) and not (node["kind"] == "CStyleCastExpr" and
                                        node["type"]["qualType"] == "void"):
                if not single:
                    self.add(node, "drop", "", "gone")
                self.expression(bare, known=True)

    def result(self, node):
        """A status that is returned as it stands: another one."""
        bare = self.bare(node)
        if bare["kind"] == "DeclRefExpr" and \
                bare["referencedDecl"]["kind"] == "EnumConstantDecl" and not self.span(bare)[2]:
            name = bare["referencedDecl"]["name"]
            self.add(bare, "result", "1" if self.enums.get(name) == 0 else "0")
        else:
            self.expression(node)


def find(root, path, flags):
    """All mutants of one file."""
    text = (root / path).read_bytes().decode("latin-1")
    done = subprocess.run(["clang", "-Xclang", "-ast-dump=json", "-fsyntax-only", "-w", "-x", "c",
                           *flags, path], cwd=root, capture_output=True, check=False)
    if done.returncode != 0:
        raise RuntimeError(f"clang cannot read {path}: {done.stderr.decode()[:500]}")
    mutants = Finder(path, text, json.loads(done.stdout)).mutants
    seen, out, counts = set(), [], {}
    for m in mutants:
        m.after = short(m.after) if "/*" not in m.after else m.after
        place = (m.begin, m.end, m.after, m.form in ("gone", "block"))
        if place in seen:
            continue
        seen.add(place)
        after = m.after.replace(" /* ST_OK */", "") or "nothing"
        base = f"{m.path} {m.function}: {m.before} -> {after}"
        counts[base] = counts.get(base, 0) + 1
        m.times = counts[base]
        m.key = base if m.times == 1 else f"{base} #{m.times}"
        out.append(m)
    return text, out
