"""Danger to life and requests for medical decisions, noticed before anything is searched.

Pure functions over the message: no index, no model. Patterns err towards noticing danger.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from pathlib import Path

import yaml

from chatbot.answers import Helpline
from chatbot.errors import CorpusError

HELPLINE_KEYS = ("id", "name", "phone", "purpose", "hours", "region", "source", "verified")


class Concern(StrEnum):
    """What a message is a sign of."""

    SUICIDE = "suicide"
    OVERDOSE = "overdose"
    WITHDRAWAL = "withdrawal"
    VIOLENCE = "violence"
    MEDICAL_ADVICE = "medical_advice"


_SELF = r"(?:myself|himself|herself|themselves|themself|my ?self|him ?self|her ?self)"
_PATTERNS: tuple[tuple[Concern, str], ...] = (
    (
        Concern.SUICIDE,
        rf"\bkill(?:ing|ed)? {_SELF}|\b(?:want|wants|wanna|wanted|going|gonna|ready|like|rather|wish i (?:could|would)) "
        rf"(?:to )?(?:just )?(?:die|be dead|end it(?: all)?|end my life|not (?:be alive|wake up|exist))\b"
        rf"|\bsuicidal\b|\bend (?:my|his|her|their) (?:own )?life\b|\btake (?:my|his|her|their) own life\b"
        rf"|\b(?:hurt|harm|cut)(?:ting|ing|s)? {_SELF}\b|\bself[- ]?harm(?:ing)?\b|\bcommit(?:ting)? suicide\b"
        rf"|\b(?:better off|everyone .{{0,20}}happier) (?:dead|without me)\b|\bno (?:reason|point) (?:to|in) (?:live|living)\b"
        rf"|\b(?:don'?t|do not|dont|can'?t|cant) (?:want to |wanna )?(?:live|be here|go on|be alive)(?: anymore| any more|$)"
        rf"|\bthinking (?:of|about) suicide\b|\bwish i (?:was|were) (?:dead|never born)\b|\bkms\b|\bunalive\b",
    ),
    (
        Concern.OVERDOSE,
        r"\b(?:is|are|he'?s|she'?s|they'?re|i'?m|im|just|has|have|i|he|she|they) (?:\w+ )?(?:overdosing|overdosed|od'?d|od'?ing|oding)\b"
        r"(?!.{0,20}(?:last|years? ago|ago|months? ago))"
        r"|\bblue lips\b|\blips (?:are|look|turned|turning|going) (?:blue|purple|gr[ae]y)\b"
        r"|\b(?:won'?t|wont|can'?t|cant|will not|not|isn'?t|doesn'?t) (?:wake|waking|breathing|breathe|responding|respond)\b(?: (?:him|her|them) )?"
        r"|\bunresponsive\b|\bstopped breathing\b|\bgurgling\b"
        r"|\btook (?:too many|a whole bottle|all (?:of )?(?:my|his|her|the)|way too (?:many|much))\b|\bswallowed (?:a )?(?:bottle|bleach|pills)\b",
    ),
    (
        Concern.WITHDRAWAL,
        r"\b(?:having|had|has|have) (?:a )?(?:seizures?|fit|convulsions?)\b(?=.*\b(?:drink|drank|alcohol|booze|benzo|xanax|valium|klonopin|ativan|quit|stopp|withdraw|detox|cold turkey))"
        r"|\b(?:seeing|hearing) (?:things|bugs|voices)\b(?=.*\b(?:drink|drank|alcohol|booze|benzo|xanax|quit|stopp|withdraw|detox|cold turkey|days?))"
        r"|\b(?:quit|stopp\w+|withdraw\w*|detox\w*|cold turkey)\b(?=.*\b(?:seizure|seeing things|hallucinat|confus|shaking (?:badly|so bad|uncontrollably)|convuls))",
    ),
    (
        Concern.VIOLENCE,
        r"\b(?:he|she|they|husband|wife|boyfriend|girlfriend|partner|dad|father|mom|mother|stepdad) (?:\w+ ){0,2}"
        r"(?:hits|beats|is hitting|is beating|hit|beat|chok(?:ed|es|ing)|strangl(?:ed|es|ing)|threaten(?:s|ed|ing) to kill) (?:me|us|my (?:kids?|child|children|mom|son|daughter))\b"
        r"|\b(?:afraid|scared) (?:he|she|they)(?:'ll| will| is going to|'s going to|'s gonna) (?:kill|hurt) (?:me|us)\b",
    ),
    (
        Concern.MEDICAL_ADVICE,
        r"\bhow (?:much|many) (?:mg |milligrams |pills |tablets )?(?:of )?(?:\w+ )?(?:should|can|may|do) i (?:take|use|dose)\b"
        r"|\bwhat dos(?:e|age)\b|\b(?:should|can|may|could|is it (?:ok|okay|safe)(?: for me)? (?:to|if i)) (?:i )?(?:stop|quit|come off|taper|skip|double|mix|combine|take) "
        r"(?:\w+ ){0,3}(?:med\w*|pills?|suboxone|methadone|xanax|valium|klonopin|ativan|benzos?|antidepressants?|zoloft|lexapro|prozac|adderall|naltrexone|vivitrol|antabuse|tylenol|ibuprofen)\b"
        r"|\bdo i have (?:a |an )?(?:alcoholism|alcohol use disorder|depression|bipolar|ptsd|anxiety disorder|liver)\b"
        r"|\b(?:safe|ok|okay) (?:for me )?to (?:mix|drink on|detox at home|quit cold turkey|stop drinking suddenly)\b",
    ),
)
_COMPILED = tuple((concern, re.compile(pattern, re.IGNORECASE)) for concern, pattern in _PATTERNS)
_NOT_DANGER = re.compile(
    r"\b(?:my|a|his|her|our) (?:\w+ )?(?:brother|sister|son|daughter|friend|cousin|uncle|dad|mom|husband|wife|nephew|niece) died\b",
    re.IGNORECASE,
)


def normalise(message: str) -> str:
    """The message in one plain form: compatible characters folded, invisible ones gone, one kind of apostrophe."""
    folded = unicodedata.normalize("NFKC", message)
    folded = "".join(character for character in folded if unicodedata.category(character) != "Cf")
    return re.sub(r"\s+", " ", folded.replace("’", "'").replace("‘", "'").replace("`", "'")).strip()


def screen(message: str) -> Concern | None:
    """The gravest concern that the message is a sign of, or None."""
    text = normalise(message)
    for concern, pattern in _COMPILED:
        if pattern.search(text) and not (concern is Concern.OVERDOSE and _NOT_DANGER.search(text)):
            return concern
    return None


def load_helplines(path: Path) -> tuple[Helpline, ...]:
    """The entries of `helplines.yaml`, in its order. Raises `CorpusError`."""
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        mark = getattr(error, "problem_mark", None)
        raise CorpusError(path, "can't be read", "restore the file", mark.line + 1 if mark else None) from error
    if not isinstance(entries, list) or not entries:
        raise CorpusError(path, "is not a list of helplines", "write one entry for each number")
    return tuple(_helpline(path, entry) for entry in entries)


def _helpline(path: Path, entry: object) -> Helpline:
    if not isinstance(entry, dict):
        raise CorpusError(path, f"has an entry that is not a map: {entry!r}", "write key: value lines")
    missing = [key for key in HELPLINE_KEYS if not entry.get(key)]
    if missing:
        raise CorpusError(path, f"entry {entry.get('id', '?')} lacks {', '.join(missing)}", "add it")
    try:
        date.fromisoformat(str(entry["verified"]))
    except ValueError:
        raise CorpusError(path, f"entry {entry['id']}: verified is not a date", "write 2026-01-31") from None
    fields = {key: str(value) for key, value in entry.items() if value is not None}
    try:
        return Helpline(**fields)
    except TypeError:
        unknown = sorted(set(fields) - set(Helpline.__dataclass_fields__))
        raise CorpusError(path, f"entry {entry['id']} has unknown keys {unknown}", "remove them") from None


def pick(helplines: Sequence[Helpline], *ids: str) -> tuple[Helpline, ...]:
    """The helplines of these ids that there are, in the order asked for."""
    found = {line.id: line for line in helplines}
    return tuple(found[name] for name in ids if name in found)
