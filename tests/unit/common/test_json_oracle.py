#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Our ProtoJSON against json_format of python3-protobuf, on messages made at random.

test_json_oracle.py CONVERTER DESCRIPTOR_SET     (json_convert and every_type.binpb of a build)

The messages come from a seed, the same in every run. Exit code 77: there is no python3-protobuf.
"""
import json
import random
import struct
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "support"))
from cases import case, check, equal, main  # noqa: E402

try:
    from google.protobuf import (any_pb2, descriptor_pb2, descriptor_pool, duration_pb2, empty_pb2,
                                 field_mask_pb2, json_format, message_factory, struct_pb2,
                                 timestamp_pb2, wrappers_pb2)
except ImportError:
    print("skipped: there is no python3-protobuf")
    sys.exit(77)

CONVERTER, SET = sys.argv[1:3]
del sys.argv[1:3]
COUNT = 400
TYPES = ("Whole", "EveryType", "Lists", "Choice", "Maps", "Wrapped", "Dynamic", "WellKnown",
         "OddNames")


def load_types():
    """The classes of every_type.proto, by name."""
    pool = descriptor_pool.Default()
    files = descriptor_pb2.FileDescriptorSet.FromString(Path(SET).read_bytes())
    for file in files.file:
        if file.name == "every_type.proto":
            pool.AddSerializedFile(file.SerializeToString())
    factory = message_factory.MessageFactory(pool)
    return {name: factory.GetPrototype(pool.FindMessageTypeByName("vtstest." + name))
            for name in TYPES}


CLASSES = load_types()


def convert(jobs):
    """Answers of the converter to (operation, message class, text)."""
    lines = "".join(f"{op} {cls.DESCRIPTOR.full_name} {text}\n" for op, cls, text in jobs)
    run = subprocess.run([CONVERTER], input=lines.encode(), capture_output=True, check=True)
    answers = run.stdout.decode().split("\n")[:-1]
    equal(len(answers), len(jobs), "answers")
    return answers


class Maker:
    """Fills messages at random with what both sides can say."""

    def __init__(self, seed):
        self.rng = random.Random(seed)

    def text(self):
        letters = "aZ09 \"\\/\n\t\x01\x7f<>&'\u00fc\u20ac\u2028\U0001f600{}[],:"
        return "".join(self.rng.choice(letters) for _ in range(self.rng.randrange(8)))

    def real(self):
        return self.rng.choice([
            lambda: float(self.rng.randrange(-1000, 1000)) or 1.0,
            lambda: self.rng.uniform(-1, 1),
            lambda: self.rng.randrange(1, 10 ** 6) / 100,
            lambda: struct.unpack("d", struct.pack("Q", self.rng.getrandbits(64)))[0]])()

    def finite(self):
        value = self.real()
        return value if abs(value) < 1e300 else 0.5

    def single(self):
        choice = self.rng.randrange(4)
        if choice == 0:
            return self.rng.choice([float("inf"), float("-inf"), float("nan")])
        bits = self.rng.getrandbits(32) if choice > 1 else 0x3dcccccd
        value = struct.unpack("f", struct.pack("I", bits))[0]
        # The largest float is beyond what json_format itself reads back.
        return value if abs(value) < 3.4e38 and value else 0.5

    def integer(self, low, high):
        return self.rng.choice([low, high, 0, 1, self.rng.randint(low, high),
                                max(low, min(high, self.rng.randrange(-100, 100)))])

    def scalar(self, field):
        kind = field.cpp_type
        if kind == field.CPPTYPE_INT32:
            return self.integer(-2 ** 31, 2 ** 31 - 1)
        if kind == field.CPPTYPE_INT64:
            return self.integer(-2 ** 63, 2 ** 63 - 1)
        if kind == field.CPPTYPE_UINT32:
            return self.integer(0, 2 ** 32 - 1)
        if kind == field.CPPTYPE_UINT64:
            return self.integer(0, 2 ** 64 - 1)
        if kind == field.CPPTYPE_BOOL:
            return self.rng.random() < 0.5
        if kind == field.CPPTYPE_FLOAT:
            return self.single()
        if kind == field.CPPTYPE_DOUBLE:
            return self.real()
        if kind == field.CPPTYPE_ENUM:
            return self.enum(field)
        if field.type == field.TYPE_BYTES:
            return self.rng.randbytes(self.rng.randrange(6))
        return self.text()

    def enum(self, field):
        if field.enum_type.full_name != "google.protobuf.NullValue" and self.rng.random() < 0.1:
            return 77
        return self.rng.choice(field.enum_type.values).number

    def fill_timestamp(self, message, depth):
        message.seconds = self.rng.randint(-62135596800, 253402300799)
        message.nanos = self.rng.choice([0, 5 * 10 ** 8, 1000, 1, 999999999])

    def fill_duration(self, message, depth):
        sign = self.rng.choice([-1, 1])
        message.seconds = sign * self.rng.choice([0, 1, 315576000000])
        message.nanos = sign * self.rng.choice([0, 5 * 10 ** 8, 1000, 1, 0])

    def fill_mask(self, message, depth):
        paths = ["a", "foo_bar", "a.b_c.d", "x1", "z9.yy_zz"]
        message.paths.extend(self.rng.sample(paths, self.rng.randrange(4)))

    def fill_value(self, message, depth):
        kind = self.rng.randrange(6 if depth < 6 else 4)
        if kind == 0:
            message.null_value = 0
        elif kind == 1:
            message.number_value = self.finite()
        elif kind == 2:
            message.string_value = self.text()
        elif kind == 3:
            message.bool_value = self.rng.random() < 0.5
        elif kind == 4:
            message.struct_value.SetInParent()
            self.fill_struct(message.struct_value, depth + 1)
        else:
            message.list_value.SetInParent()
            self.fill_list(message.list_value, depth + 1)

    def fill_struct(self, message, depth):
        for _ in range(self.rng.randrange(3)):
            self.fill_value(message.fields[self.text()], depth + 1)

    def fill_list(self, message, depth):
        for _ in range(self.rng.randrange(3)):
            self.fill_value(message.values.add(), depth + 1)

    def fill_any(self, message, depth):
        inner = self.rng.choice([
            any_pb2.Any, duration_pb2.Duration, timestamp_pb2.Timestamp, empty_pb2.Empty,
            field_mask_pb2.FieldMask, struct_pb2.Struct, struct_pb2.Value, struct_pb2.ListValue,
            wrappers_pb2.Int64Value, wrappers_pb2.StringValue, CLASSES["EveryType"],
            CLASSES["Maps"], CLASSES["Choice"]])()
        if depth < 5:
            self.fill(inner, depth + 1)
            message.Pack(inner, deterministic=True)

    SPECIAL = {"Timestamp": fill_timestamp, "Duration": fill_duration, "FieldMask": fill_mask,
               "Value": fill_value, "Struct": fill_struct, "ListValue": fill_list, "Any": fill_any}

    def fill_map(self, message, field, depth):
        key_field, value_field = field.message_type.fields
        entries = getattr(message, field.name)
        for _ in range(self.rng.randrange(4)):
            key = self.scalar(key_field)
            if value_field.message_type:
                self.fill(entries[key], depth + 1)
            else:
                entries[key] = self.scalar(value_field)

    def fill_field(self, message, field, depth):
        is_list = field.label == field.LABEL_REPEATED
        if field.message_type and field.message_type.GetOptions().map_entry:
            self.fill_map(message, field, depth)
        elif is_list and field.message_type:
            for _ in range(self.rng.randrange(3)):
                self.fill(getattr(message, field.name).add(), depth + 1)
        elif is_list:
            values = [self.scalar(field) for _ in range(self.rng.randrange(4))]
            getattr(message, field.name).extend(values)
        elif field.message_type:
            getattr(message, field.name).SetInParent()
            self.fill(getattr(message, field.name), depth + 1)
        else:
            setattr(message, field.name, self.scalar(field))

    def fill(self, message, depth=0):
        special = self.SPECIAL.get(message.DESCRIPTOR.name)
        if special and message.DESCRIPTOR.full_name.startswith("google.protobuf."):
            special(self, message, depth)
            return
        for field in message.DESCRIPTOR.fields:
            if self.rng.random() < (0.5 if depth < 4 else 0.1) and \
                    not (depth >= 6 and field.message_type):
                self.fill_field(message, field, depth)


def make_messages():
    maker = Maker(20240102)
    messages = []
    for i in range(COUNT):
        message = CLASSES[TYPES[i % len(TYPES)]]()
        maker.fill(message)
        messages.append(message)
    return messages


MESSAGES = make_messages()


def canonical(message):
    """What compares equal when the messages are: NaN is a text in it, an Any is unpacked, since
    its bytes may have a map's entries in another order, and -0 equals 0, as json_format has it."""
    return json_format.MessageToDict(message)


def ok(answer, message):
    check(answer.startswith("ok "), f"{message.DESCRIPTOR.name}: {answer[:300]}")
    return answer[3:]


def write_all(operation, **options):
    answers = convert([(operation, type(message), message.SerializeToString().hex())
                       for message in MESSAGES])
    for message, answer in zip(MESSAGES, answers):
        ours = json.loads(ok(answer, message))
        theirs = json.loads(json_format.MessageToJson(message, **options))
        equal(ours, theirs, message.DESCRIPTOR.name)
    return [answer[3:] for answer in answers]


@case
def what_we_write_says_what_theirs_says():
    texts = write_all("write")
    for message, text in zip(MESSAGES, texts):
        again = json_format.Parse(text, type(message)())
        equal(canonical(again), canonical(message), message.DESCRIPTOR.name)


@case
def defaults_are_written_as_theirs():
    write_all("defaults", including_default_value_fields=True)


@case
def words_are_read_back_by_us():
    words = convert([("words", type(message), message.SerializeToString().hex())
                     for message in MESSAGES])
    texts = [ok(answer, message) for answer, message in zip(words, MESSAGES)]
    check_read(texts)


def check_read(texts, operation="read"):
    """Each text is one of MESSAGES."""
    answers = convert([(operation, type(message), text) for message, text in zip(MESSAGES, texts)])
    for message, answer, text in zip(MESSAGES, answers, texts):
        again = type(message).FromString(bytes.fromhex(ok(answer, message)))
        equal(canonical(again), canonical(message), text)


def read_all(indent=None, **options):
    check_read([json_format.MessageToJson(message, indent=indent, **options).replace("\n", " ")
                for message in MESSAGES])


@case
def what_they_write_is_read():
    read_all()
    read_all(indent=2, including_default_value_fields=True)


@case
def what_they_write_in_other_ways_is_read():
    read_all(preserving_proto_field_name=True)
    read_all(use_integers_for_enums=True)
    read_all(ensure_ascii=False, sort_keys=True)


def mangle(rng, text):
    """The text with one small thing wrong, or not."""
    at = rng.randrange(len(text))
    pieces = ['"', "{", "}", "[", "]", ",", ":", "0", "-", ".", "e5", "null", "true", '""', "\\",
              "\\ud800", "1", " ", "x"]
    choice = rng.randrange(3)
    if choice == 0:
        return text[:at] + text[at + 1:]
    if choice == 1:
        return text[:at] + rng.choice(pieces) + text[at:]
    return text[:at] + rng.choice(pieces) + text[at + 1:]


@case
def what_we_take_of_mangled_texts_means_the_same():
    """Where both take a text, they read the same. They may refuse different ones: Python takes
    repeated keys, NaN, NUL and half surrogates, and has no bare 64-bit floats."""
    rng = random.Random(7)
    jobs = []
    for message in MESSAGES * 5:
        text = json_format.MessageToJson(message, indent=None).replace("\n", " ")
        if len(text) < 2000:
            jobs.append(("read", type(message), mangle(rng, text)))
    both = 0
    for (_, cls, text), answer in zip(jobs, convert(jobs)):
        try:
            theirs = json_format.Parse(text, cls())
            wanted = canonical(theirs)
        except Exception:  # of many kinds, and not all meant
            continue
        if answer.startswith("ok "):
            equal(canonical(cls.FromString(bytes.fromhex(answer[3:]))), wanted, text)
            both += 1
    check(both > 100, f"only {both} texts were taken by both")


REFUSED = [
    ("EveryType", '{"int32Field": 1.5}'), ("EveryType", '{"int32Field": 2147483648}'),
    ("EveryType", '{"int32Field": "a"}'), ("EveryType", '{"int32Field": true}'),
    ("EveryType", '{"int64Field": "9223372036854775808"}'), ("EveryType", '{"uint32Field": -1}'),
    ("EveryType", '{"floatField": 3.5e38}'), ("EveryType", '{"boolField": "true"}'),
    ("EveryType", '{"boolField": 1}'), ("EveryType", '{"enumField": "BLUE"}'),
    ("EveryType", '{"nothing": 1}'), ("EveryType", '1'), ("EveryType", ''),
    ("EveryType", '{"int32Field": 1,}'), ("EveryType", '{"int32Field": 01}'),
    ("EveryType", "{'int32Field': 1}"), ("EveryType", '{"int32Field": 1} x'),
    ("EveryType", '{"stringField": 1}'), ("EveryType", '{"bytesField": "a"}'),
    ("Lists", '{"ints": [null]}'),
    ("Lists", '{"ints": 1}'), ("Lists", '{"messages": [null]}'), ("Lists", '{"ints": {}}'),
    ("Choice", '{"number": 1, "text": "a"}'), ("Maps", '{"byInt32": {"a": "b"}}'),
    ("Maps", '{"byBool": {"1": "b"}}'), ("Maps", '{"byString": {"a": null}}'),
    ("Maps", '{"byString": []}'), ("WellKnown", '{"stamp": "2024-01-01"}'),
    ("WellKnown", '{"stamp": "2024-01-01T00:00:00"}'), ("WellKnown", '{"span": "1"}'),
    ("WellKnown", '{"span": "999999999999s"}'), ("WellKnown", '{"any": {"a": 1}}'),
    ("WellKnown", '{"any": {"@type": "type.googleapis.com/a.B"}}'),
    ("WellKnown", '{"mask": "foo_bar"}'),
]


@case
def what_they_refuse_is_refused():
    answers = convert([("read", CLASSES[name], text) for name, text in REFUSED])
    for (name, text), answer in zip(REFUSED, answers):
        check(answer.startswith("refused "), f"{text}: {answer}")
        try:
            json_format.Parse(text, CLASSES[name]())
        except Exception:
            continue
        raise AssertionError(f"json_format takes {text}")


if __name__ == "__main__":
    main(__file__)
