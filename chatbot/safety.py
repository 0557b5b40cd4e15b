"""Danger to life and requests for medical decisions, noticed before anything is searched.

Pure functions over the message: no index, no model. Patterns err towards noticing danger.
"""

import re
import unicodedata
from collections.abc import Sequence
from datetime import date
from enum import StrEnum
from functools import lru_cache
from pathlib import Path

import yaml
from rapidfuzz.distance import DamerauLevenshtein

from chatbot.answers import Helpline
from chatbot.errors import CorpusError

HELPLINE_KEYS = ("id", "name", "phone", "purpose", "hours", "region", "source", "verified")


class Concern(StrEnum):
    """What a message is a sign of."""

    SUICIDE = "suicide"
    OVERDOSE = "overdose"
    WITHDRAWAL = "withdrawal"
    VIOLENCE = "violence"
    CHILD_DANGER = "child_danger"
    MEDICAL_ADVICE = "medical_advice"


_SELF = r"(?:myself|himself|herself|themselves|themself|my ?self|him ?self|her ?self)"
_PATTERNS: tuple[tuple[Concern, str], ...] = (
    (
        Concern.SUICIDE,
        rf"\bkill(?:ing|ed)? {_SELF}|\b(?:want|wants|wanna|wanted|going|gonna|ready|like|rather|wish i (?:could|would)) "
        rf"(?:to )?(?:just )?(?:die|be dead|end it(?: all)?|end my life|not (?:be alive|wake up|exist))\b"
        rf"|\bsuicidal\b|\bend (?:my|his|her|their) (?:own )?life\b|\btake (?:my|his|her|their) own life\b"
        rf"|\b(?:hurt|harm|cut|shoot|hang|hung|off|drown|burn)(?:t?ing|ed|s)? {_SELF}\b|\bself[- ]?harm(?:ing)?\b|\bcommit(?:ting)? suicide\b"
        rf"|\b(?:better off|everyone .{{0,20}}happier) (?:dead|without me)\b|\bno (?:reason|point) (?:to|in) (?:live|living)\b"
        rf"|\b(?:don'?t|do not|dont|can'?t|cant) (?:want to |wanna )?(?:live|be here|go on|be alive)(?: anymore| any more|$)"
        rf"|\bthinking (?:of|about) suicide\b|\bwish i (?:was|were) (?:dead|never born)\b|\bkms\b|\bunaliv\w*|\btired of (?:being alive|living|existing|life)\b"
        r"|\b(?:slit|cut) (?:my|her|his) (?:own )?wrists?\b|\bjump (?:off|from) (?:a|the|my) (?:bridge|roof|building|overpass)\b"
        r"|\bhop(?:e|ing) i (?:don'?t|dont|never) wake up\b|\b(?:nothing|no reason) (?:left )?to live for\b",
    ),
    (
        Concern.OVERDOSE,
        r"\b(?:is|are|he'?s|she'?s|they'?re|i'?m|im|just|has|have|i|he|she|they) (?:\w+ )?(?:overdosing|overdosed|od'd|odd(?= (?:on|again|in the|at)\b)|od'?ing)\b"
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
        Concern.CHILD_DANGER,
        r"\b(?:kids?|child(?:ren)?|baby|toddler|infant|son|daughter|grandson|granddaughter|nephew|niece)\b.{0,40}"
        r"\b(?:left alone|home alone|by (?:himself|herself|themselves)|unsupervised|swallowed|found (?:the |my |some )?pills)\b"
        r"|\b(?:hits?|hitting|beats?|beating|shook|touches|molest\w*) (?:my |our |the |her |his )(?:kids?|child(?:ren)?|baby|toddler|son|daughter|grandson|granddaughter)\b"
        r"|\bdriv(?:es|ing|e) (?:drunk|high|wasted)\b.{0,30}\b(?:kids?|child(?:ren)?|baby|son|daughter)\b"
        r"|\bi'?m (?:[5-9]|1[0-7])\b.{0,60}\b(?:hits me|alone|touches me|no food|won'?t wake)\b",
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
# The plainest words for it in the languages most spoken at home in the United States, and some more.
_ABROAD = (
    (
        Concern.SUICIDE,
        r"\b(?:quiero|quer[ií]a|quiere|quisiera) morir(?:me|se)?\b|\bsuicidar(?:me|se)\b|\b(?:matar|quitar)(?:me|se)(?: la vida)?\b"
        r"|\b(?:me (?:quiero|voy a)|se (?:quiere|va a|quer[ií]a)) (?:matar|suicidar|quitar la vida|ahorcar)\b|\b(?:no (?:quiero|quiere)|sin ganas de|ya no quiero|ya no quiere) (?:vivir|seguir viviendo)\b"
        r"|\bje veux (?:mourir|me tuer|en finir)\b|\bme suicider\b|\bse suicider\b|\bquero morrer\b|\b(?:me|se) matar\b|\btirar (?:a )?minha (?:própria )?vida\b"
        r"|\bich (?:will|möchte) (?:sterben|nicht mehr leben)\b|\bmich umbringen\b|\bvoglio morire\b|\buccidermi\b|\bmwen vle mouri\b|\btouye tèt\b"
        r"|\bchcę umrzeć\b|\bzabić się\b|\bmuốn chết\b|\btự tử\b|\bgusto ko nang? mamatay\b|\bmagpakamatay\b|\bхочу умереть\b|\bпокончить с собой\b|\bубить себя\b"
        r"|想死|自杀|自殺|不想活|死にたい|죽고 ?싶|자살|أريد أن أموت|انتحار|मरना चाहत|आत्महत्या",
    ),
    (
        Concern.OVERDOSE,
        r"\bsobredosis\b(?!.{0,30}\b(?:hace|murió|pasado)\b)|\bno (?:respira|despierta|se despierta)\b|\blabios (?:azules|morados)\b|\bse tomó (?:todas las|muchas) pastillas\b"
        r"|\bne respire (?:plus|pas)\b|\bnão respira\b|\bnão acorda\b|\bне дышит\b|没有呼吸|不呼吸",
    ),
    (
        Concern.VIOLENCE,
        r"\b(?:esposo|marido|novio|pareja|padre|papá|esposa|novia|él) (?:\w+ )?me (?:pega|golpea|amenaza|está (?:pegando|golpeando))\b|\bme quiere matar\b",
    ),
)
_COMPILED_ABROAD = tuple((concern, re.compile(pattern, re.IGNORECASE)) for concern, pattern in _ABROAD)
_NOT_DANGER = re.compile(
    r"\b(?:my|a|his|her|our) (?:\w+ )?(?:brother|sister|son|daughter|friend|cousin|uncle|dad|mom|husband|wife|nephew|niece) died\b",
    re.IGNORECASE,
)


_LETTERS_APART = re.compile(r"(?<![^\W_])(?:[^\W\d_][ ._*-]){3,}[^\W\d_](?![^\W_])")
_AS_LETTER = str.maketrans("013457@$!", "oieastasi")
_DISGUISED = re.compile(r"(?<=[A-Za-z])[013457@$!]+(?=[A-Za-z])")
_DRAWN_OUT = re.compile(r"([A-Za-z])\1{2,}")


def normalise(message: str) -> str:
    """The message in one plain form: compatible characters folded, accents kept, invisible ones and pictures gone,
    one kind of apostrophe, letters typed apart or as digits put back ("k 1 l l" stays, "k.i.l.l", "d1e" don't), one slip
    in a grave word put right."""
    folded = unicodedata.normalize("NFKC", message)
    folded = "".join(
        " " if unicodedata.category(character) == "So" else character
        for character in folded
        if unicodedata.category(character) not in ("Cf", "Mn", "Sk")
    )
    folded = folded.replace("’", "'").replace("‘", "'").replace("`", "'").replace("´", "'")
    folded = _LETTERS_APART.sub(lambda match: re.sub(r"[ ._*-]", "", match.group()), folded)
    folded = _DISGUISED.sub(lambda match: match.group().translate(_AS_LETTER), folded)
    folded = _DRAWN_OUT.sub(r"\1\1", folded)
    folded = re.sub(r"[A-Za-z]{4,}", lambda match: _mended(match.group()), folded)
    return re.sub(r"\s+", " ", folded).strip()


_GRAVE = tuple(
    """suicide suicidal overdose overdosed overdosing breathing breathe seizure seizures convulsions unresponsive gurgling
    anymore myself swallowed strangled hallucinating""".split()
)
_GRAVE_SHORT = ("want", "wants", "wanna", "kill", "killed", "hurt", "alive", "live", "dying", "pills")


@lru_cache(maxsize=4096)
def _mended(word: str) -> str:
    """A word with one slip of the keyboard put right where that makes it one by which danger is known: any slip but in
    the first letter of a long word, two letters exchanged in a short one."""
    low = word.lower()
    for grave in _GRAVE if len(low) > 5 else ():
        if low[0] == grave[0] and low != grave and DamerauLevenshtein.distance(low, grave, score_cutoff=1) == 1:
            return word if low in _GRAVE else grave
    for grave in _GRAVE_SHORT:
        if len(low) == len(grave) and low != grave and sorted(low) == sorted(grave):
            if DamerauLevenshtein.distance(low, grave, score_cutoff=1) == 1:
                return grave
    return word


_DENIED = re.compile(
    r"\b(?:not|never|no|without|isn'?t|wasn'?t|aren'?t|don'?t|isnt|dont|nobody)\b(?:\W+\w+){0,4}\W*$", re.IGNORECASE
)


def _denied(text: str, start: int, concern: Concern) -> bool:
    """Whether what stands before a sign takes it back ("I'm not suicidal"), within its sentence."""
    before = re.split(r"[.!?;]|\bbut\b", text[:start])[-1]
    return concern is Concern.SUICIDE and _DENIED.search(before) is not None


_GRAVE_ALONE = re.compile(
    r"\b(?:suicid\w*|overdos\w*|seizures?|convulsions?|unresponsive|gurgling|hallucinat\w*|strangl\w*|self[- ]?harm\w*|rape[ds]?|violence"
    r"|child abuse|abused|dying|die|dead|hurt(?:ing)?|unsafe|in danger)\b",
    re.IGNORECASE,
)


def is_grave(term: str) -> bool:
    """Whether a message of a word or two names a danger to life: who types no more than that may be in it."""
    return _GRAVE_ALONE.search(normalise(term)) is not None


def screen(message: str) -> Concern | None:
    """The gravest concern that the message is a sign of, or None."""
    text = normalise(message)
    for concern, pattern in _COMPILED:
        found = pattern.search(text)
        if found and not _denied(text, found.start(), concern):
            if not (concern is Concern.OVERDOSE and _NOT_DANGER.search(text)):
                return concern
    return screen_abroad(message)


def screen_abroad(message: str) -> Concern | None:
    """The same in plain words of other languages, which the classifier was not trained on."""
    text = normalise(message)
    return next((concern for concern, pattern in _COMPILED_ABROAD if pattern.search(text)), None)


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
