"""How much a name ending proves: `.com` is a host's alone, `.me` is a word that follows a full stop.

People write "ok.so see you.now" without a space after the full stop, and `so` and `now` are top-level domains. So a
name without scheme or path is judged by its ending and by the label before it. The word lists were written by
hand for this: English, its SMS spellings, and the words of South and South-East Asian English.
"""

from __future__ import annotations

import re
from enum import IntEnum
from functools import lru_cache

from models.domains import is_top_level

# Endings that are words people use to begin a sentence, in English or another language that SMS are written in.
_SENTENCE = """
am as at be by do in is it me mm my no so to us pm
how you now here like not can will what where who call free one day good love nice fast food book cool dog dad mom
man men meet news next open paris party pay phone play post read rest run safe save say see select sex sky smart smile
song soy star stop surf talk tax team tel thanks top total town toys trust tube tunes watch weather win wine word work
works wow yes you your zero abc am an any are but for from get go got had has have he her hi his i if its let may
mr ms mrs nab nba next off oh ok on or our out pics sorry she some tell that the then there they this time today tmr u
ur was way we well wed were when why with ice onion moe
"""
# Endings that are words, which fraudsters register all the same: believed after a label that is no plain word.
_WORDS = """
live life world fun ink click link space cloud work today plus fit city best name art blog help wang tips host zone
trade center digital rocks sale games baby money market gift win social bond finance exchange network homes beauty
design group team training expert gallery international college gold golf university tools institute style tennis
pub investments global guru rent business academy foundation directory red town casa works bar cam lat wiki lol bio
agency solutions capital shopping skin monster quest tech website services support systems technology ventures
video vision watch yoga bid bike boutique broker builders buy cab cafe camera camp care careers cash cheap church
codes coffee community company computer condos construction consulting contact coupons credit creditcard dance
date dating deals degree delivery democrat dental diet direct discount discover domains download earth education
email energy engineer enterprises equipment events express fail faith family fan fans farm fashion film financial
fish fishing fitness flights florist football forex forum fund furniture garden gifts gives giving glass graphics
green guide hair health healthcare holiday hospital hosting hot hotel hotels house how insurance jewelry jobs land
law lawyer lease legal lighting limited loan loans ltd luxury marketing markets media memorial mobile mortgage
movie museum music navy new ninja ong organic page partners parts pet photo photography photos pictures pink pizza
place plumbing plus poker porn press productions promo properties property protection racing radio realty recipes
rehab repair report republican reviews rich rip salon school schools science security sexy shoes show singles ski
soccer software solar style sucks supply surgery tattoo taxi theater tickets tires tour tours travel uno vacations
vet villas vin vip vodka vote voyage watches webcam wedding wtf zone bet bot dev day dad ads author auto autos
black blue box boats hair makeup cool chat love gay reise shoes tv
al de es ky la ma mo mr ms mu na ne ni pa re sa se si st su va ve
im cu tc gd bt tt gn sr fr fm id gm bb cz cm ng
"""
# Word endings that are so often hosts that only a filler word before them speaks against it.
_OPEN = """
top vip shop site online club store info pro app asia ltd mobi website icu cyou buzz sbs cfd fyi ink click bond website
space host press wiki tech bid loan men date trade racing party review stream download win xin art
"""
_NAMES = "com net org biz xyz gov edu int mil aero coop cat"
_FILES = "zip mov py sh md rs ps"

# Words that end a sentence in any ordinary message, and titles and abbreviations before a full stop.
_FILLERS = """
a ac again ah ain aint all alright also am an and any anyway are as at aw away aww back bad be because been before bro
bt but by bye c call can cant class co cool cos coz cud cuz d dad da dear dey did didnt do does dont down dr dude dun
e eh else em er etc even ever f fine first for from g gd get go going gone gonna good got gr8 great gud guys h ha had haha
hahaha has have he hear hello help her here hey hi him his hmm hmmm ho home hor how hows i ic if ill im in inc is isnt it
its ive j jr jus just k ka ke ko know kk l la lah lar later leh liao like lo lol lor love ltd luv m ma maam man mate
may me mee meh mine miss mm mom more morning mr mrs ms much mum my n na nah need never nice night no nope not now nt o of
off oh ok okay okey okie on one only or orh ota our out over p pa pls please plz prof pt q r ready really rite rs s said
sat see she shes shld shit sia sir sis so some soon sorry st still sun sure t take tc tell tht than thank thanks that
thats the them then there they thing things this tht thx til till time tmr to today told tom tomo tomorrow tonight
too tonite ttyl tv txt u uh um up ur us v ve very w wait wan wana wanna want was wat watever way we wed well were wen
what whats when where which who why will wif wit with won wont work wow x xx xxx y ya yar yea yeah year years yep yes yest
yesterday yet yo you your yours yr yup z mon tue tues wed thu thur thurs fri jan feb mar apr jun jul aug sep sept oct nov
dec vs eg ie viz approx acct govt dept min max tel ref ext fig vol pg pp ave blvd rd sq bldg apt gen col sgt capt lt
rev hon messrs mdm assoc bros corp
"""
_PLAIN = """
able about above accept account across act actually add address after afternoon age ago agree air airport alone along
already always amazing amount angry another answer anybody anymore anyone anything apart apartment apply appointment
area arms around arrive arrived ask asked asking asleep ate attend aunt auntie autumn available awake awesome baby bag
balance ball band bank bath bathroom beach bear beat beautiful bed bedroom beer begin behind being believe bell best bet
better between big bike bill bird birthday bit bitch black bless blessing blood blue board boat body book books bored
boring born boss both bother bottle bottom bought box boy boyfriend boys brain bread break breakfast breath bring
broke broken brother brought brown budget building bus business busy buy cab cake called caller calling calls came
camera campus cancel car card care careful cars case cash cause cell centre certain chance change changed charge
charged chase chat cheap check cheer cheers chicken child children chill chinese chocolate choose christmas church
cinema city claim clean clear clock close closed clothes clothing club coffee coin cold collect college colour come comes
coming company complete computer congrats congratulations contact content cook cooking copy corner cost couch could
count country couple course cover crazy credit cross cry cup custom customer cut cute daddy damn dance dark darling date
daughter day days dead deal death decide deep deliver delivery den dentist depends details didn die died diet different
difficult dinner direct dirty discuss disturb doctor doesn dog doing done door double dream dreams dress drink drinks
drive driver driving drop dropped drunk dry due during dying each ear early earth easily easter easy eat eating egg eight
eighth either email end ended ends energy english enjoy enough enter evening event every everybody everyday everyone
everything exactly exam exams except excited excuse expect expensive explain express extra eye eyes face facebook fact
fail family fan fancy far fast father fault favourite fear feel feeling feels feet fell felt few field fifteen fifth fifty
fight figure file fill film final finally find finds finish finished fire fish fit five fix flag flat flight floor flower
flowers fly follow following food fool foot football forever forget forgot form forty forward found four free freedom
friday friend friends front fuck fucking full fun funny future game games garden gave gift girl girlfriend girls give
given glad glass god goes gold goodbye goodmorning goodnight grand grandma green ground group grow guess guy gym hair half
hall hand hands hang happen happened happens happiness happy hard has hasnt hate haven having head health heard heart hearts
heat heavy held hell hers herself high himself history hit hold holiday holidays honest honey hope hoping horrible
horse hospital hot hotel hour hours house hows however hug huge hugs hundred hungry hurry hurt husband ice idea idiot ill
immediately important inside instead interest interested interesting internet into invite isn issue itself job join
joined joke joking joy juice keep kept key keys kick kid kids kill kind king kiss kisses kitchen knew lady laptop large
last late lately laugh lazy lead learn least leave leaves leaving lecture left leg less lesson lesson let lets letter
library lie life light liking line list listen little live lives living load loads local lol london long look looked
looking looks lose lost lots loud lovely loved lover loves low luck lucky lunch mad made mah mail main make makes making
mall many mark market marriage married matter matters mean meaning means meant meat medicine meet meeting member
memory men merry message messages met middle midnight might mind minute minutes missed missing mistake moment monday
money month months mood moon mother mouth move moved movie movies moving mrng mummy music must myself name names near
nearly neck needs neighbour neither network new news next nobody noon nothing notice number nurse offer office often old
online open operator opinion order other others ours outside own pack page paid pain pair paper parents park part
party pass passed past pay payment peace pen people perfect perhaps person phone phones photo pic pick picked pics
picture piece pink pizza place plan plane plans plate play played player playing plus pocket point police pool poor
pop possible post pound pounds power pray prepare present pretty price prize private prob probably problem problems
project promise pub pull purpose push put quality question quick quickly quiet quite quiz rain raining ran rang rate
rather reach reached read reading real reality reason receive received red regards relax remember remind remove rent
reply report rest result results return rich ride right ring rings road room rooms round row rule run running sad safe
safely sale same sambar saturday save saw say saying says school science scared sea search season seat second secret
seem seems seen self sell send sending sense sent serious seriously service seven several sex sexy shall share shed
shirt shoe shoes shop shopping short should shoulder shout show shower shut sick side sight sign silent silly simple
since sing single sister sit site situation six size skin skip sky sleep sleeping sleepy slept slow slowly small smart
smell smile smoke smoking smooth snow social sofa soft sold somebody somehow someone something sometime sometimes
somewhere son song songs soul sound sounds south space speak special speed spend spent spoke sport spring staff stand
star start started starting starts state station stay staying step stick stomach stop stopped store story straight
strange street stress strong stuck student study studying stuff stupid style such sugar suggest summer sunday sunny
support suppose supposed surely surprise sweet sweetheart swimming system table taken takes taking talk talked
talking tea teach teacher team tear tears teeth telling ten tennis terms terrible test texted texting texts text
themselves therefore these theory thinks think thinking third thirty those though thought thoughts thousand three
through throw thursday ticket tickets tight tired title together tone took top total touch touched town trade traffic
train training transfer travel treat tree tried trip trouble true trust truth try trying tuesday tune turn twelve
twenty twice two type ugly uncle under understand uni university unless unsold until update upset upstairs urgent
use used useful using usual usually vacation valentine valid vegetables video view village visit voice vote voucher
waiting wake walk walked walking wall wallet wants war warm warning wash watch watched watching water wear weather
website wedding wednesday week weekend weeks weight weird welcome west wet wherever whether while white whole whom
whose wife wind window wine winner winter wise wish wishes wishing within without wolf woke woman women wonder wonderful
wondering word words worked working works world worried worry worse worst worth write wrong wrote xmas yard yourself
accha acha achha arre bhai bhaiya beta chalo ji haan hai hain hoga hota hua karo kya kyun mera mujhe nahi nahin sab
theek tum yaar abi ano ako ba ikaw kasi kayo lang mga naman ngayon opo po pwede sige siya talaga tayo yung aja apa
banyak baru belum bisa boleh dah dan dengan dia ini itu jadi juga kalau kamu kita lagi makan mana masih mau nak nanti
nya ok saya sudah tak tapi tidak tu udah untuk abt aft afta ard beta bcoz bday bday brb btw cmon dat dats den dis frm
frnd frnds gal gals gettin goin gotta havent hlo hmph hmmmm hv hve kinda knw lemme lets lil lookin luvs msg msgs nite nvm
ofc omg omw oso oredi pple ppl prolly rly rofl shes sumthin sup tat tel thanx thk thnk thnks tho thot tht ths thru tks
tmrw tmw tym ull urself wana wassup watcha wats wen whr wid wil wk wks wnt wrk wud xam xams yday yess yday ystrday yrs
"""
_SLANG = """
2day 2moro 2morow 2morrow 2mrw 2nite 2night 4eva 4ever 4get any1 b4 d8 every1 ever1 f8 gr8 h8 l8 l8er l8r m8 no1 ne1 ne1thing
some1 sum1 sumth1 w8 w8ing m8s u2 me2 n2 in2 on2 up2 b4n str8 luv2 8 4 2 1st 2nd 3rd f9 k9 10x 2c 2b
"""
_NAME_ENDINGS = frozenset(_NAMES.split())
_SENTENCE_ENDINGS = frozenset(_SENTENCE.split())
_WORD_ENDINGS = frozenset(_WORDS.split())
_OPEN_ENDINGS = frozenset(_OPEN.split()) - {"party", "win", "men", "date", "man", "review"}
_FILE_ENDINGS = frozenset(_FILES.split())
FILLERS = frozenset(_FILLERS.split())
PLAIN_WORDS = FILLERS | frozenset(_PLAIN.split()) | frozenset(_SLANG.split())


class Ending(IntEnum):
    """What a top-level domain proves about a name that has nothing else to show, from nothing to all."""

    UNKNOWN = 0
    FILE = 1  # `setup.py`, `a.zip`
    SENTENCE = 2  # "home.in an hour"
    WORD = 3  # "thanks.love", but also `hxq88.live`
    OPEN = 4  # `.top`, `.shop`: hosts, unless a filler word stands before
    NAME = 5  # `.com`, `.cn`, `.xyz`


@lru_cache(maxsize=1 << 14)
def ending(tld: str) -> Ending:
    """How much a top-level domain in lower-case ASCII proves; UNKNOWN when the public suffix list has none such.

    Brands and other rare long endings count as words of a sentence, because they hardly ever end a fraud host.

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


_QUANTITY = re.compile(r"\d+[a-z]{0,4}|(?:rs|rm|no|nr|inr|usd|gbp|aud|sgd|php|eur|k|p|x)\d+|\d+[ap]m\d*")
_ELONGATED = re.compile(r"([a-z])\1{2,}|(?:ha|he|hi|ho|ja|xa|lo|la|na|ya|ba|mu?w?a){2,}h?")
_MORPHEMES = (
    "ing",
    "ings",
    "tion",
    "tions",
    "ment",
    "ness",
    "ally",
    "able",
    "ible",
    "ful",
    "less",
    "ously",
    "ical",
    "ism",
)
_STEMS = ("s", "es", "ed", "d", "er", "ers", "est", "ly", "in", "n", "y", "r", "th", "z")


@lru_cache(maxsize=1 << 14)
def is_plain_word(label: str) -> bool:
    """Whether a lower-case label is an ordinary word, its SMS spelling, or a quantity such as `10am` or `rs500`.

    >>> [is_plain_word(label) for label in ("tomorrow", "2day", "sooooo", "walked", "10am", "hxq88", "re-login")]
    [True, True, True, True, True, False, False]
    """
    if label in PLAIN_WORDS or len(label) == 1:
        return True
    if _QUANTITY.fullmatch(label) or _ELONGATED.search(label):
        return True
    if not label.isalpha():
        return False
    if len(label) > 6 and label.endswith(_MORPHEMES):
        return True
    for stem in _STEMS:
        if label.endswith(stem):
            rest = label.removesuffix(stem)
            if (
                rest in PLAIN_WORDS
                and len(rest) > 2
                or f"{rest}e" in PLAIN_WORDS
                or rest[:-1] in PLAIN_WORDS
                and len(rest) > 3
            ):
                return True
    return False
