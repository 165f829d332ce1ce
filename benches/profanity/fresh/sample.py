"""Draws the word samples beside this file, from packages that were unpacked beforehand (README.md names them).

    python3 sample.py AMERICAN_HUGE BRITISH_HUGE AMERICAN_INSANE AMERICAN_SMALL NAMES_DIR FAKER_DIR BETTER_PROFANITY_LIST RUSTRICT_CSV

Not run by the build: the samples are checked in, so that figures stay comparable when a package moves on.
"""

import csv
import importlib
import json
import pathlib
import pkgutil
import random
import sys
import unicodedata

HERE = pathlib.Path(__file__).parent
SEED = 20817
DICTIONARY, RARE, SURNAMES, WORLD, COMMON, LOOKALIKES = 15_000, 5_000, 10_000, 10_000, 9_000, 300

# Ends of a word that make an inflection of a listed one.
ENDINGS = ["s", "es", "ed", "d", "ing", "in", "er", "ers", "y", "ie", "ies", "ier", "iest", "ness", "ish", "like", "less", "able", "ery", "ly", "ally", "fy", "or", "ic"]
# Words whose compounds with another dictionary word are profane as well (`horse` + ..., ... + `head`).
STRONG = ["fuck", "cunt", "nigger", "shit", "whore", "slut", "wank", "twat", "bitch", "fag", "piss", "turd", "arse"]
# Profane, and on neither list.
MISSING = {"wog", "golliwog", "slutter", "golliwogg"}
# What the look-alikes have inside.
INSIDE = ["ass", "arse", "anal", "anus", "cock", "cum", "coon", "dick", "tit", "rape", "spic", "nigg", "wank", "shit", "cunt", "slut"]
INSIDE += ["semen", "sex", "homo", "porn", "paki", "gook", "twat", "fag", "piss", "turd", "boob", "hore", "crap", "clit"]


def read(path):
    return pathlib.Path(path).read_text(encoding="utf-8").split()


def listed(better, rustrict):
    words = {line.strip().lower() for line in pathlib.Path(better).read_text(encoding="utf-8").splitlines()}
    with open(rustrict, encoding="utf-8") as rows:
        words |= {row["word"].lower() for row in csv.DictReader(rows)}
    words |= MISSING
    return {word for word in words if word.isalpha() and len(word) > 2}


def plain(word):
    """Lower case, without accents and a possessive ending."""
    folded = "".join(c for c in unicodedata.normalize("NFKD", word.lower()) if not unicodedata.combining(c))
    return folded.removesuffix("'s")


def stems(word):
    """What is left of the word without its endings: `bugged` doubles, `making` drops an e, `happily` has a y for an i."""
    found, next_round = set(), {word, word.removeprefix("out")}
    while next_round:
        found |= next_round
        cut = {stem.removesuffix(ending) for stem in next_round for ending in ENDINGS if stem.endswith(ending)}
        cut |= {stem + "e" for stem in cut} | {stem[:-1] for stem in cut if stem[-2:-1] == stem[-1:]}
        cut |= {stem[:-1] + "y" for stem in cut if stem.endswith("i")}
        next_round = {stem for stem in cut if stem not in found and len(stem) > 3}
    return found


def profane(word, bad, known):
    word = plain(word)
    if word in bad:
        return True
    if any(stem in bad for stem in stems(word)):
        return True
    for strong in STRONG:
        before, after = word.removesuffix(strong), word.removeprefix(strong)
        if before != word and len(before) > 2 and before in known:
            return True
        if after != word and len(after) > 2 and after in known:
            return True
    return False


def latin(name):
    return all(c in " -'" or unicodedata.name(c, "").startswith("LATIN") for c in name)


def faker_names(folder):
    sys.path.insert(0, folder)
    person = importlib.import_module("faker.providers.person")
    found = set()
    for locale in pkgutil.iter_modules(person.__path__):
        provider = importlib.import_module(f"faker.providers.person.{locale.name}").Provider
        for field in dir(provider):
            value = getattr(provider, field)
            if "name" in field and not field.startswith("_") and "format" not in field and isinstance(value, (dict, list, tuple)):
                found |= {name for name in value if isinstance(name, str) and "{" not in name and latin(name) and len(name) > 2}
    return found


def main():
    american, british, insane, small, names, faker, better, rustrict = sys.argv[1:]
    bad = listed(better, rustrict)
    huge = set(read(american)) | set(read(british))
    known = {plain(word) for word in huge}
    copied = set((HERE.parent / "data/dict_clean.txt").read_text(encoding="utf-8").splitlines())
    copied |= set((HERE.parent / "data/names_world.txt").read_text(encoding="utf-8").splitlines())
    hard = (HERE.parent / "data/hard_negatives.jsonl").read_text(encoding="utf-8").splitlines()
    copied |= {json.loads(row)["text"] for row in hard}
    taken = {plain(word) for word in copied}
    chance = random.Random(SEED)

    def draw(file, words, count):
        fit = sorted(word for word in set(words) if plain(word) not in taken and not profane(word, bad, known))
        drawn = chance.sample(fit, min(count, len(fit)))
        taken.update(plain(word) for word in drawn)
        (HERE / file).write_text("".join(f"{word}\n" for word in drawn), encoding="utf-8")
        print(f"{file}: {len(drawn)} of {len(fit)}")

    draw("dictionary.txt", huge, DICTIONARY)
    draw("rare.txt", set(read(insane)) - huge, RARE)
    census = (pathlib.Path(names) / "dist.all.last").read_text(encoding="ascii").splitlines()
    draw("surnames.txt", (row.split()[0].capitalize() for row in census), SURNAMES)
    draw("world_names.txt", faker_names(faker), WORLD)
    hiding = (word for word in read(small) if word.isascii() and word.isalpha() and any(inside in word.lower() for inside in INSIDE))
    draw("lookalikes.txt", hiding, LOOKALIKES)
    # Short common words, of which pairs run together; they may well be in the copied sets.
    common = [word for word in read(small) if word.isascii() and word.isalpha() and word.islower() and 1 < len(word) < 9]
    fit = sorted(word for word in set(common) if not profane(word, bad, known))
    (HERE / "common.txt").write_text("".join(f"{word}\n" for word in chance.sample(fit, min(COMMON, len(fit)))), encoding="utf-8")


if __name__ == "__main__":
    main()
