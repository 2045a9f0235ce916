#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""The help of the command, its manual page and its tables tell of the same commands, flags,
variables and exit statuses; every public function stands in a page of section 3, and no other.
"""
import re

import lint

CLI = "client/cli/"
PAGE = "docs/man/vtstatus.1"
SYMBOLS = "tests/lint/symbols.txt"
FLAG = re.compile(r"--[a-z][a-z-]*")


def read(root, name):
    """The text; "" for a file that is not there, as in samples."""
    path = root / name
    return path.read_text() if path.is_file() else ""


def strings(text):
    """The C string literals, joined."""
    parts = re.findall(r'"((?:\\.|[^"\\\n])*)"', lint.strip(text, keep_strings=True))
    return "".join(parts).replace("\\n", "\n").replace('\\"', '"')


def body(text, start):
    """What stands between the braces that the line with `start` opens."""
    found = re.search(re.escape(start) + r"[^{;]*\{\n(.*?)\n\};", text, re.DOTALL)
    return found.group(1) if found else ""


def roff(text):
    """Without the backslashes of dashes, and without changes of font."""
    return re.sub(r"\\f[A-Z]", "", text.replace("\\-", "-"))


def section(page, name):
    found = re.search(rf"^\.SH {name}\n(.*?)(?=^\.SH |\Z)", page, re.MULTILINE | re.DOTALL)
    return found.group(1) if found else ""


def entries(text):
    """The lines that head the entries of a section."""
    return re.findall(r"^\.TP\n(.*)$", text, re.MULTILINE)


def differ(what, where, have, want):
    """Complaints of what a place lacks, and of what it tells in vain."""
    found = [f"{where}: {what} {name} is missing" for name in sorted(want - have)]
    return found + [f"{where}: there is no {what} {name}" for name in sorted(have - want)]


def commands(options_c):
    return set(re.findall(r'^\s*\[VTS_CLI_COMMAND_\w+\] = \{"([a-z]+)"', options_c, re.MULTILINE))


def check_flags(flags, help_text, page):
    rows = {"--" + name for name in re.findall(r'^\s*\{"([a-z-]+)",', flags, re.MULTILINE)}
    heads = re.findall(r"^  (-.*?)(?:   *|$)", help_text, re.MULTILINE)
    helped = {flag for head in heads for flag in FLAG.findall(head)}
    helped |= {flag for flag in rows if f"also {flag}," in help_text}
    heads = entries(section(page, "OPTIONS"))
    told = {flag for head in heads for flag in FLAG.findall(head.replace('"', " "))}
    return differ("flag", CLI + "help.c", helped, rows) + differ("flag", PAGE, told, rows)


def check_commands(names, help_text, page):
    helped = set(re.findall(r"^  ([a-z]+)(?: .*)?  +\S", help_text, re.MULTILINE)) & names
    listed = set(re.findall(r"^\.BR? ([a-z].*)$", section(page, "DESCRIPTION"), re.MULTILINE))
    told = {word for line in listed for word in line.split()} & names
    shown = set(re.findall(r"[a-z]+", section(page, "SYNOPSIS"))) & names
    return (differ("command", CLI + "help.c", helped, names) +
            differ("command", PAGE, told & shown, names))


def check_variables(flags, help_text, page):
    rows = set(re.findall(r'"(VTSTATUS_[A-Z_]+)"', flags))
    helped = set(re.findall(r"VTSTATUS_[A-Z_]+", help_text.partition("Environment:")[2]))
    told = set(re.findall(r"VTSTATUS_[A-Z_]+", section(page, "ENVIRONMENT")))
    return (differ("variable", CLI + "help.c", helped & rows, rows) +
            differ("variable", PAGE, told, rows))


def check_exits(header, help_text, page):
    values = {int(n) for n in re.findall(r"VTS_CLI_EXIT_\w+ = (\d+)", header)}
    if 128 in values:  # and the numbers of the two signals that are caught
        values = values - {128} | {128 + 2, 128 + 15}

    def numbers(heads):
        return {int(n) for head in heads for n in re.findall(r"\d+", head)}
    listed = re.match(r"(?:  .*\n)*", help_text.partition("Exit status:\n")[2]).group(0)
    helped = numbers(re.findall(r"^  (\d+(?:, \d+)*)  ", listed, re.MULTILINE))
    told = numbers(entries(section(page, "EXIT STATUS")))
    return (differ("exit status", CLI + "help.c", {str(n) for n in helped},
                   {str(n) for n in values}) +
            differ("exit status", PAGE, {str(n) for n in told}, {str(n) for n in values}))


def check_functions(root):
    promised = {re.sub(r"_sized$", "", name) for name in read(root, SYMBOLS).split()
                if name.startswith("vts_")}
    told = set()
    for path in sorted((root / "docs/man").glob("*.3")):
        told |= set(re.findall(r"\b(vts_\w+)\(", section(path.read_text(), "SYNOPSIS")))
    return differ("function", "docs/man", told, promised)


def check(root):
    flags = read(root, CLI + "flags.c")
    help_text = strings(read(root, CLI + "help.c"))
    page = roff(read(root, PAGE))
    return (check_flags(body(flags, "flags[] ="), help_text, page) +
            check_commands(commands(read(root, CLI + "options.c")), help_text, page) +
            check_variables(flags, help_text, page) +
            check_exits(read(root, CLI + "exit_code.h"), help_text, page) +
            check_functions(root))


GOOD = {
    CLI + "flags.c": 'struct vts_cli_flag flags[] = {\n    {"url", ALL, "VTSTATUS_URL"},\n'
                     '    {"wait", GET, NULL},\n};\n',
    CLI + "options.c": '    [VTS_CLI_COMMAND_GET] = {"get", 0, 1, NULL},\n',
    CLI + "help.c": 'const char a[] = "  get [JOB]   ask\\n"\n    "  --url URL   the server\\n"\n'
                    '    "  --wait      wait\\n"\n    "Environment: VTSTATUS_URL\\n"\n'
                    '    "Exit status:\\n"\n    "  0  good\\n"\n    "  130, 143  interrupted\\n";\n',
    CLI + "exit_code.h": "VTS_CLI_EXIT_OK = 0,\nVTS_CLI_EXIT_SIGNAL = 128,\n",
    PAGE: ".SH SYNOPSIS\n.B get\n.SH DESCRIPTION\n.TP\n.B get\nAsks.\n.SH OPTIONS\n.TP\n"
          ".BI \\-\\-url \" url\"\nThe server.\n.TP\n.B \\-\\-wait\nWaits.\n.SH EXIT STATUS\n.TP\n"
          ".B 0\nGood.\n.TP\n.B 130, 143\nInterrupted.\n.SH ENVIRONMENT\n.TP\n.B VTSTATUS_URL\nX.\n",
    "docs/man/vts_a.3": '.SH SYNOPSIS\n.BI "int vts_a(int " a );\n.BI "void vts_o_init(void *" o );\n',
    SYMBOLS: "vts_a\nvts_o_init_sized\n",
}


def changed(name, old, new):
    if old not in GOOD[name]:
        raise SystemExit(f"check_manual: {old!r} is not in the sample {name}")
    return {**GOOD, name: GOOD[name].replace(old, new)}


SAMPLES = {
    "same": (GOOD, None),
    "flag without help": (changed(CLI + "help.c", "  --wait", "  wait"), "help.c: flag --wait"),
    "flag without page": (changed(PAGE, ".B \\-\\-wait", ".B wait"), "1: flag --wait is missing"),
    "flag that is none": (changed(CLI + "flags.c", '    {"wait", GET, NULL},\n',
                                  '    {"url", GET, NULL},\n') |
                          {CLI + "help.c": GOOD[CLI + "help.c"].replace("  --wait", "  wait")},
                          "1: there is no flag --wait"),
    "command without help": (changed(CLI + "help.c", "  get [JOB]   ask", "ask"), "command get"),
    "command without page": (changed(PAGE, ".TP\n.B get\nAsks.\n", ""), "1: command get"),
    "command without synopsis": (changed(PAGE, "SYNOPSIS\n.B get", "SYNOPSIS"), "command get"),
    "variable without page": (changed(PAGE, "VTSTATUS_URL", "URL"), "variable VTSTATUS_URL"),
    "variable without help": (changed(CLI + "help.c", "VTSTATUS_URL", "URL"), "help.c: variable"),
    "exit status without page": (changed(PAGE, ".B 0\n", ".B Zero\n"), "1: exit status 0"),
    "exit status without help": (changed(CLI + "help.c", "  0  good", "  good"), "exit status 0"),
    "exit status that is none": (changed(PAGE, ".B 0\n", ".B 0, 9\n"), "no exit status 9"),
    "function without page": (changed(SYMBOLS, "vts_a\n", "vts_a\nvts_b\n"), "function vts_b is"),
    "function that is none": (changed(SYMBOLS, "vts_a\n", ""), "no function vts_a"),
}

if __name__ == "__main__":
    lint.main(check, SAMPLES)
