"""Where names of people stand in a message as visitors type it: capitals or none, no full stop, a title or a relation
before it.

A list of first names tells most of them. A word that is a name and something else too ("will", "hope", "molly") counts
only where the words before it leave no doubt."""

import re
import unicodedata
from collections.abc import Iterator
from functools import cache
from importlib import import_module

from chatbot.lexical import STOP_WORDS

LOCALES = ("en_US", "en_GB", "en_IN", "es_MX")
"""Whose first names are told, from the lists that Faker brings along."""
WITH_SURNAMES = ("en_US", "es_MX")
MORE = frozenset(
    "agnes aiden al alejo ali andi angie artie barb benny bernie bert beto bev bret brett bri burt caden cal chad "
    "chloe chuck clyde dante darnell deb destinee dev devonte dewey dom doug ed eddie edith edna eli ellie elmer "
    "elsie ernie esteban ethel evie floyd fran gabe gavin gerry gina grady gus gwen hank harvey hassan hattie ike "
    "imani ira irma irving isabelle jaden jamal jasper jayden jeff jen jenn jess jo joey jonah josie juanita "
    "kaden kat katy keisha ken khalil lena lexi linh liz lloyd lou lupe lyle mabel marcy marge mateo mavis meg "
    "merle micah mick midge milton mo mohamed mona murray nate ned nell nelson nico omar otis owen pat percy pete "
    "rae rafael ralphie ramon raul reggie rob rosie ruben rudy rufus sammy sasha saul shaniqua sheldon sid skye "
    "sofia stan steph stu ted teddy thelma theo tia tito tracie trish trudy tyrell val velma vic vince viv walt "
    "wendell wilbur winnie winston yasmin zach zack zane".split()
)  # fmt: skip
AMBIGUOUS = frozenset(
    "chuck abril al ali alma alta amador amber amparo ana angel april art arya asia asuncion aurora austin autumn "
    "bailey benito bill brandy brook brooke brooks cal carol chad chance charity chase cheyenne christian clara "
    "clay clear clemente cole concepcion cruz daisy dakota dale dallas dawn dean dee denver dev diamond diego "
    "dolores don drew dulce earl ebony ed eli eloy esparta esperanza eva eve faith fe felix forest forum frank "
    "franklin gail georgia ginger glen grace gracia grant guadalupe guy harmony heaven holly homer hope houston "
    "hunter ira iris ivy jack jackson jade jalsa jean jesus jim jo jordan joy june kai kala ken king lana lance "
    "lane laurel lee liberty lily lincoln lo london love lucky luz mack madison man manan mandy manu manual marco "
    "mark mary mason max may maya melody mercedes mercy mia miles misty mo modesto molly moses natividad noble "
    "norm notice olive om page paige paris parker pat patience paz pearl peggy penny perla pierce pilar piper "
    "presley preston pushti queen radha rain ram randy raven ray red reed reese reid reina reva river rob robin "
    "rocky rod rory rosa rosario rose ruby rusty sage sai sally salvador san sandy santa santiago savannah sawyer "
    "shane shelby sherry sierra sky skye socorro sol spencer star sterling stone storm sue summer sunny sunshine "
    "sydney tab taylor tia toby trace tracy trinidad troy tucker val van vanya veda vic victoria vidhi violet "
    "virginia wade walker warren will willow winter woody zion".split()
)  # fmt: skip
"""Names that are words, places, drinks or drugs too, and so count only where the words before them say a name."""
SURELY = frozenset(
    "ali amber ana angel april austin bailey brandy brooke carol cole diego earl ed eli eva felix franklin glen "
    "holly jack jackson jade jean jim jo jordan kai ken lily madison mandy marco mason max maya melody mia misty "
    "paige parker peggy penny preston randy ray rob robin ruby sally sandy shane shelby sherry sierra spencer "
    "taylor toby tracy troy val vic victoria warren".split()
)
"""Of the ambiguous ones those that stand for a person after "my son" or "I'm" even in small letters."""
NO_PERSON = re.compile(
    r"\b(?:jack daniel'?s?|jim beam|johnn(?:y|ie) walker|captain morgan|jose cuervo|don julio|mary[- ]?jane|betty ford|"
    r"bill w\b\.?|dr\.? bob|san (?:diego|francisco|jose|antonio)|santa (?:maria|monica|ana|rosa|barbara)|st\.? \w+|"
    r"casa palmera|palmera|al[- ]anon|blue (?:cross|shield)|kaiser permanente|dr\.? (?:pepper|google|phil)|"
    r"(?:martin luther|king) (?:king|jr)\b|jesus(?: christ)?|christmas|johns hopkins|mayo clinic|"
    r"(?:orange|los|santa|san) (?:county|angeles)|\w+ (?:county|house|center|centre|clinic|hospital|university|college))\b",
    re.IGNORECASE,
)
"""What has a first name in it, or stands where one could, and is no person of the visitor's."""
RELATION = (
    "son|daughter|kid|child|boy|girl|baby|husband|hubby|wife|spouse|partner|fianc[eé]e?|boyfriend|girlfriend|bf|gf|ex|"
    "brother|sister|bro|sis|mom|mum|mother|dad|father|stepson|stepdaughter|stepdad|stepmom|stepfather|stepmother|"
    "grandson|granddaughter|grandma|grandpa|grandmother|grandfather|uncle|aunt|auntie|nephew|niece|cousin|friend|buddy|"
    "bestie|roommate|neighbor|neighbour|coworker|colleague|boss|sponsor|sponsee|client|patient|"
    "(?:son|daughter|brother|sister|mother|father)[- ]in[- ]law"
)
ROLE = (
    "doctor|judge|nurse|officer|probation officer|parole officer|po|p\\.o\\.|agent|counsell?or|therapist|psychiatrist|"
    "psychologist|case ?manager|case ?worker|social worker|pastor|rabbi|sponsor|attorney|lawyer|sergeant|deputy|"
    "coach|professor|principal|miss|sgt\\.?"
)
TITLE = r"(?:dr|mr|mrs|ms|mx|prof|rev)\b\.?"
_WORD = r"[^\W\d_]+(?:[’'-][^\W\d_]{2,})*"
_NAMED = re.compile(
    r"\b(?:name(?:['’]?s| is|:| -)|names:?|named|i go by|called|goes by|sincerely,|regards,|signed,?|cheers,|"
    r"(?:thanks|thank you|thx|love)(?:,| ?-)|patient:|client:|^ ?- ) *",
    re.IGNORECASE,
)
"""After these a name follows. After the weaker ones it must look like one."""
_STRONG = re.compile(r"(?:name(?:['’]?s| is|:| -)|sincerely,|regards,|signed,?|patient:|client:)\s*$", re.IGNORECASE)
_TITLED = re.compile(rf"\b{TITLE} +", re.IGNORECASE)
_IN_A_ROLE = re.compile(rf"\b(?:{ROLE}) +", re.IGNORECASE)
_RELATED = re.compile(
    rf"\b(?:{RELATION})(?:'?s name is|,| is named| named| called)? +|\b(?:i['’]?m|i am|we are|we['’]?re) +",
    re.IGNORECASE,
)
_KIN = re.compile(
    rf"\b(?:my|his|her|our|their) (?:\w+ )?(?:{RELATION})(?:'?s name is| is named| named| called)? +", re.IGNORECASE
)
"""After these what has a capital is a name, on the list or not."""
_NEAR = re.compile(
    r"\b(?:it['’]?s|this is|hey|hi|hello|tell|told|talk(?:ed|ing)? (?:to|with)|spoke (?:to|with)|speak (?:to|with)|call|text|meet|"
    r"met|saw|see|with|and|from|for|about|to) +",
    re.IGNORECASE,
)
_NO_NAME = STOP_WORDS | frozenset(
    "said says told wants wanted thinks thought recommended recommends prescribed gave gives ordered orders note notes "
    "office appointment letter refuses refused keeps keep needs need drinks drank uses used using relapsed relapse wont "
    "cant dont didnt doesnt isnt wasnt whats who whose hes shes theyre im ive id just really still also only even never "
    "always already now today yesterday tomorrow tonight again back here there later soon help please call text went goes "
    "came comes got gets has had have lives lived works worked died passed doing going trying looking asking seeing taking "
    "getting being calling writing wondering worried scared tired sober clean drunk high sick new single married pregnant "
    "desperate alone lost depressed anxious addicted alcoholic addict ok okay fine good bad hard sad mad ready sure not "
    "sorry hi hello hey thanks thank you yes no maybe well very so too much many more most about all any some one two three "
    "ordered says require requires required asked asks approved denied suggested mentioned referred sent sends diagnosed "
    "and or but if then because when while after before until since though however monday tuesday wednesday thursday "
    "friday saturday sunday january february march april may june july august september october november december "
    "iop php aa na smart dbt cbt emdr mat thinking feeling in on at by to of for with from as like love hate know think "
    "has have does did do is are was were be been will would could should can may might must shall the a an my your his "
    "her our their this that these those it he she they we i me him them us who what where when why how "
    "group phone email address date insurance court probation work school home rehab detox treatment therapy program "
    "little big alcohol drugs weed meth heroin fentanyl cocaine opioids pills suboxone methadone vivitrol naltrexone xanax adderall "
    "percocet medicaid medicare aetna cigna kaiser anthem tricare humana christian catholic jewish muslim hispanic native "
    "american english spanish california texas synergy someone somebody anybody anyone everyone nobody mother father "
    "officer counselor judge deputy sergeant nurse doctor offices manager records release releases review visit visits wife husband son daughter".split()
)


@cache
def _listed() -> tuple[frozenset[str], frozenset[str]]:
    """First names and surnames, in small letters, with and without accents."""
    first, last = set(MORE), set[str]()
    for place in LOCALES:
        provider = import_module(f"faker.providers.person.{place}").Provider
        for kind in ("first_names", "first_names_male", "first_names_female"):
            first.update(name.split()[0].casefold() for name in getattr(provider, kind, ()) if name.strip())
        if place in WITH_SURNAMES:
            last.update(name.split()[0].casefold() for name in provider.last_names)
    # People leave accents off; what has one and is listed without is another word.
    first |= {_unaccented(name) for name in first}
    return frozenset(first), frozenset(last | {_unaccented(name) for name in last})


def _plain(word: str) -> str:
    return re.sub(r"['’](?:s|d|m|ll|re|ve)$", "", word.casefold())


def _unaccented(name: str) -> str:
    return "".join(letter for letter in unicodedata.normalize("NFD", name) if not unicodedata.combining(letter))


def names_in(text: str) -> Iterator[tuple[int, int]]:
    """Start and end of each name of a person, in the order of the text; a surname belongs to its first name."""
    safe = [match.span() for match in NO_PERSON.finditer(text)]
    before = 0
    for match in re.finditer(_WORD, text):
        if match.start() < before or any(start < match.end() and match.start() < end for start, end in safe):
            continue
        if _is_name(text, match.start(), match.group()):
            before = _end(text, match)
            yield match.start(), before


def _is_name(text: str, start: int, word: str) -> bool:
    plain, capital = _plain(word), word[0].isupper() and not word.isupper()
    lead = text[max(0, start - 40) : start]
    first, last = _listed()
    if len(plain) < 2:
        return False
    if plain in _NO_NAME:
        return capital and plain in SURELY and _ends(_NAMED, lead)
    if _ends(_TITLED, lead) or (_ends(_NAMED, lead) and (capital or plain in first or _STRONG.search(lead))):
        return True
    if _ends(_IN_A_ROLE, lead) and (capital or plain in first or plain in last):
        return True
    if plain not in first:
        return capital and _ends(_KIN, lead)
    if plain not in AMBIGUOUS:
        return True
    if _ends(_RELATED, lead) or (capital and _ends(_NEAR, lead)):
        return plain in SURELY or capital
    after = re.match(rf" ({_WORD})", text[start + len(word) :])
    if after and after[1][0].isupper() and _plain(after[1]) in last:
        return capital
    return capital and plain in SURELY and lead.strip()[-1:] not in ("", ".", "!", "?")


def _ends(pattern: re.Pattern[str], lead: str) -> bool:
    return any(match.end() == len(lead) for match in pattern.finditer(lead))


def _end(text: str, first: re.Match[str]) -> int:
    """Where a name ends that begins with this word: what follows it and looks like a name belongs to it."""
    end = first.end()
    given, last = _listed()
    told = _STRONG.search(text[: first.start()]) is not None  # "my name is jane doe": who says so gives the surname too
    for _ in range(2):
        after = re.match(rf"(?: [A-Z]\.)? ({_WORD})", text[end:])
        if after is None or _plain(after[1]) in _NO_NAME:
            break
        capital = after[1][0].isupper() and not after[1].isupper()
        if not (capital or told or (_plain(after[1]) in last and _plain(after[1]) not in AMBIGUOUS | given)):
            break
        end, told = end + after.end(), False
    return end
