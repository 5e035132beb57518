"""Top-level domains: how much the ending of a name proves; only hosts end in `.com`, but `me` may begin a sentence.

People write "ok.so see you.now" without a space after the full stop, and `so` and `now` are top-level domains. So this
module judges a name without scheme or path by its ending, and `models.texts.vocabulary` judges the label before it.
"""

from __future__ import annotations

from enum import IntEnum
from functools import lru_cache

from models.texts.domains import is_top_level

# Endings that are words at the beginning of sentences, in English or another language of SMS.
_SENTENCE = """
am as at be by do in is it me mm my no so to us pm how you now here like not can will what where who call free one
good nice fast food book dog mom man men meet news next open paris party pay phone play post read rest run safe save
say see select sex sky smart smile song soy star stop surf talk tax tel thanks total toys trust tube tunes weather
wine word wow yes your zero abc an any are but for from get go got had has have he her hi his i if its let may mrs nab
nba off oh ok on or our out pics sorry she some tell that the then there they this time tmr u ur was way we well wed
were when why with ice onion moe rs ps
"""
# Endings that are words but that fraudsters register too: believed after a label that is not a plain word.
_WORDS = """
live life world fun link cloud work today plus fit city best name blog help wang tips zone center digital rocks sale
games baby money market gift win social finance exchange network homes beauty design group team training expert
gallery international college gold golf university tools institute style tennis pub investments global guru rent
business academy foundation directory red town casa works bar cam lat lol bio agency solutions capital shopping skin
monster quest services support systems technology ventures video vision watch yoga bike boutique broker builders buy
cab cafe camera camp care careers cash cheap church codes coffee community company computer condos construction
consulting contact coupons credit creditcard dance date dating deals degree delivery democrat dental diet direct
discount discover domains earth education email energy engineer enterprises equipment events express fail faith family
fan fans farm fashion film financial fish fishing fitness flights florist football forex forum fund furniture garden
gifts gives giving glass graphics green guide hair health healthcare holiday hospital hosting hot hotel hotels house
insurance jewelry jobs land law lawyer lease legal lighting limited loans luxury marketing markets media memorial
mobile mortgage movie museum music navy new ninja ong organic page partners parts pet photo photography photos
pictures pink pizza place plumbing poker porn productions promo properties property protection radio realty recipes
rehab repair report republican reviews rich rip salon school schools science security sexy shoes show singles ski
soccer software solar sucks supply surgery tattoo taxi theater tickets tires tour tours travel uno vacations vet
villas vin vodka vote voyage watches webcam wedding wtf bet bot dev day dad ads author auto autos black blue box boats
makeup cool chat love gay reise tv al de es ky la ma mo mr ms mu na ne ni pa re sa se si st su va ve im cu tc gd bt tt
gn sr fr fm id gm bb cz cm ng sh er ee ar iq
hr th mt je hm sd il gf bf
"""
# Endings that are words but so often end hosts that only a filler word before them speaks against a host.
_OPEN = """
top vip shop site online club store info pro app asia ltd mobi website icu cyou buzz sbs cfd fyi ink click bond space
host press wiki tech bid loan trade racing stream download xin art
"""
_NAMES = "com net org biz xyz gov edu int mil aero coop cat"
_FILES = "zip mov py md"

_NAME_ENDINGS = frozenset(_NAMES.split())
_SENTENCE_ENDINGS = frozenset(_SENTENCE.split())
_WORD_ENDINGS = frozenset(_WORDS.split())
_OPEN_ENDINGS = frozenset(_OPEN.split())
_FILE_ENDINGS = frozenset(_FILES.split())


class Ending(IntEnum):
    """How much a top-level domain proves about a name without other evidence, from nothing to everything."""

    UNKNOWN = 0
    FILE = 1  # `setup.py`, `a.zip`
    SENTENCE = 2  # "home.in an hour"
    WORD = 3  # "thanks.love", but also `hxq88.live`
    OPEN = 4  # `.top`, `.shop`: hosts, unless a filler word precedes
    NAME = 5  # `.com`, `.cn`, `.xyz`


@lru_cache(maxsize=1 << 14)
def ending(tld: str) -> Ending:
    """How much a top-level domain in lower-case ASCII proves; UNKNOWN when the public suffix list does not have it.

    Brands and other rare long endings count as words of a sentence, because a fraud host hardly ever ends in one.

    >>> ending("com").name, ending("top").name, ending("live").name, ending("me").name, ending("txt").name
    ('NAME', 'OPEN', 'WORD', 'SENTENCE', 'UNKNOWN')
    """
    if not is_top_level(tld):
        return Ending.UNKNOWN
    if tld in _FILE_ENDINGS:
        return Ending.FILE
    if tld in _OPEN_ENDINGS:
        return Ending.OPEN
    if tld in _WORD_ENDINGS:
        return Ending.WORD
    if tld in _SENTENCE_ENDINGS:
        return Ending.SENTENCE
    if len(tld) == 2 or tld.startswith("xn--") or tld in _NAME_ENDINGS:
        return Ending.NAME
    return Ending.SENTENCE
