"""Vocabulary: the words that people write around a full stop; a name made of them is a sentence rather than a host.

The lists are written by hand for this purpose: English, its SMS spellings, the words of South and South-East Asian
English, and the commonest words of other languages that are written with spaces.
"""

from __future__ import annotations

import re
from functools import lru_cache

# Words that end a sentence in any ordinary message, and titles and abbreviations before a full stop.
_FILLERS = """
a ac again ah ain aint all alright also am an and any anyway are as at aw away aww back bad be because been before bro
bt but by bye c call can cant class co cool cos coz cud cuz d dad da dear dey did didnt do does dont down dr dude dun
e eh else em er etc even ever f fine first for from g gd get go going gone gonna good got gr8 great gud guys h ha had
haha hahaha has have he hear hello help her here hey hi him his hmm hmmm ho home hor how hows i ic if ill im in inc is
isnt it its ive j jr jus just k ka ke ko know kk l la lah lar later leh liao like lo lol lor love ltd luv m ma maam
man mate may me mee meh mine miss mm mom more morning mr mrs ms much mum my n na nah need never nice night no nope not
now nt o of off oh ok okay okey okie on one only or orh ota our out over p pa pls please plz prof pt q r ready really
rite rs s said sat see she shes shld shit sia sir sis so some soon sorry st still sun sure t take tc tell tht than
thank thanks that thats the them then there they thing things this thx til till time tmr to today told tom tomo
tomorrow tonight too tonite ttyl tv txt u uh um up ur us v ve very w wait wan wana wanna want was wat watever way we
wed well were wen what whats when where which who why will wif wit with won wont work wow x xx xxx y ya yar yea yeah
year years yep yes yest yesterday yet yo you your yours yr yup z mon tue tues thu thur thurs fri jan feb mar apr jun
jul aug sep sept oct nov dec vs eg ie viz approx acct govt dept min max tel ref ext fig vol pg pp ave blvd rd sq bldg
apt gen col sgt capt lt rev hon messrs mdm assoc bros corp
"""
# The same for French, Spanish, German, Italian, Portuguese, Dutch, Malay, Indonesian and Hindi.
_FILLERS_ABROAD = """
merci salut bonjour bonsoir oui non bien tres voila daccord pourquoi quoi ouais mdr bisous bisou demain maison aussi
alors encore rien tout peut hola gracias bueno vale claro manana si adios amor mucho todo nada casa tambien tarde
noche dias perfecto listo danke bitte ja nein gut super genau heute morgen abend hallo nicht auch noch schon klar
gerne spater tag nacht hause ciao grazie prego bene sono oggi domani allora perche anche notte giorno obrigado
obrigada oi tudo bem sim nao hoje amanha noite voce dank goed leuk niet wel jij thuis terima kasih sama iya nanti
belum sampai malam pagi siang rumah kantor sayang maaf boss selamat tunggu makasih salaam salam assalam inshallah
namaste bhabhi didi acha kab kaha abhi ghar
"""
_PLAIN = """
abi able about above absolutely abt accept accha accident accommodation account achha across act actually add address
advertisement aft afta after afternoon afterwards age ago agree agreement air airport aja ako alone along already
always amazing amount angry anniversary announcement ano another answer anybody anymore anyone anything apa apart
apartment apologies app apparently application apply appointment ard area arms around arre arrive arrived arts ask
asked asking asleep assignment assistance ate atmosphere attend aunt auntie autumn available awake awesome ba baby
badminton bag balance ball band bank banyak baru basically basketball bath bathroom bcoz bday beach bear beat
beautiful bed bedroom beer begin behind being believe bell best bet beta better between bhai bhaiya big bike bill bird
birthday bisa bit bitch black blackberry bless blessing blood blue board boat body boleh book books bored boring born
both bother bottle bottom bought box boy boyfriend boys brain brb bread break breakfast breath bring broke broken
brother brought brown btw budget building bus business busy buy buying cab cafe cake calculator called caller calling
calls came camera campus cancel canteen car card care careful cars case cash cause celebration cell centre certain
certificate challenge chalo championship chance change changed charge charged chase chat cheap check cheer cheers
chicken child children chill chinese chocolate choose christmas church cinema city claim classmate classroom clean
clear client clock close closed clothes clothing club cmon coffee coin cold colleague colleagues collect college
colour come comes coming comp company complete compliment computer conference confidence congrats congratulations
contact content contract conversation cook cooking copy corner cost couch could counselling count country couple
courier course cover crazy credit cricket cross cry cup custom customer cut cute daddy dah damn dan dance dark darling
dat date dats daughter day days dead deal dearest death decide dedicated deep definitely deliver delivery den dengan
dentist department depends description desk destination details dia dictionary didn die died diet difference different
difficult dinner direct dirty dis discuss discussion disturb doctor documents doesn dog doing done door double dream
dreams dress drink drinks drive driver driving drop dropped drunk dry due during dying each ear early earth earthquake
easily easter easy eat eating egg eight eighth either electricity electronics email embarassed embarrassed emergency
employment end ended ends energy engagement english enjoy enough enter enterprise environment equipment essentials
evening event every everybody everyday everyone everything exactly exam examination exams except excited excitement
excuse expect expensive experience explain explanation express expression extra eye eyes face facebook facilities fact
fail family fan fancy fantastic far fast father fault favourite favourites fear feed feel feeling feels feet fell felt
few field fifteen fifth fifty fight figure file fill film final finally find finds fingerprint finish finished fire
fireworks firstly fish fit five fix flag flat flight floor flower flowers fly follow following fone food fool foot
football forever forget forgot form forty forward found four freaky free freedom friday friend friends frm frnd frnds
front fuck fucking full fun funny furniture future gal gals game games garden gate gave gettin gift girl girlfriend
girls give given glad glass goal god goes goin gold goodbye goodmorning goodnight gorgeous gotta government graduation
grand grandfather grandma grandmother green greetings grocery ground group grow guess guy gym haan hai hain hair half
hall hallelujah hand handphone hands hang happen happened happens happiness happy hard hasnt hate haven havent having
head headache health heard heart hearts heat heavy held helicopter hell hers herself high himself history hit hlo
hmmmm hmph hoga hold holiday holidays homework honest honestly honey hope hoping horrible horse hospital hostel hot
hota hotel hour hours house household housework however hp hua hug huge hugs hundred hungry hurry hurt husband hv hve
ice idea idiot ikaw imagination immediate immediately importance important impossible individual information ini
inside instead instructor insurance interest interested interesting internet internship interview into invitation
invite invoice isn issue itself itu jadi ji job join joined joke joking journalist joy juga juice kalau kamu karo kasi
kayo keep kept key keyboard keys kick kid kids kill kind kinda king kiss kisses kita kitchen knew knowledge knw kya
kyun laboratory lady lagi landed lang lap laptop large last late lately laugh lazy lead learn least leave leaves
leaving lect lecture left leg lemme less lesson let lets letter lib library license lie life lifestyle light liking
lil line list listen literally little live lives living load loads local london long look looked lookin looking looks
lose lost lots loud loved lovely lover loves loving low luck lucky lunch lunchtime luvs mad madam made mah mail main
makan make makes making mall mana management many mark market marriage married masih match matter matters mau mean
meaning means meant meat medication medicine meet meeting member memory men mera merry message messages met mga
microwave middle midnight might mind minute minutes missed missing mistake moment monday money month months mood moon
mortgage mother motorbike motorcycle mouth move moved movie movies moving mrng msg msgs mujhe mummy music must myself
nahi nahin nak naman name names near nearly neck needs negotiation neighbour neighbourhood neither network networking
new news newspaper next ngayon nightmare nite nobody nonetheless noon nothing notice number nurse nutrition nvm nya
obviously occasionally ofc offer office often old omg omw online open operator opinion opo opportunity orchard order
oredi orientation oso other others ours outside overnight own pack package page paid pain pair paper paperwork
paragraph parcel parents park part party pass passed passport password past pay payment pc peace pen peninsula people
perfect perfectly performance perhaps person personality phone phones photo photographer pic pick picked pics picture
piece pink pizza place plan plane plans plate play played player playground playing plus po pocket point police
politician pool poor pop population possession possibility possible post postponed pound pounds power powerpoint ppl
pple pray prepare prescription present presentation pretty price principal private prize prob probably problem
problems procedure product production professor programme project prolly promise pub pull punctuality purpose push put
pwede quality quarantine queen question quick quickly quiet quite quiz radio rain raining ran rang rate rather reach
reached read reading real reality reason receive received receptionist red regards relationship relax remember remind
remove rent repent reply report reservation resort respectful responsibility rest restaurant restaurants result
results return revision rich ride right ring rings rly road rofl roof room rooms round row rule run running sab sad
safe safely sale sambar same saturday save saw say saya saying says scared sch scholarship school science screenshot
sea search season seat second secret secretary seem seems seen self sell semester send sending sense sent serious
seriously service seven several sex sexy shall share shed shirt shoe shoes shop shopping short should shoulder shout
show shower shut shuttle sick side sige sight sign signature silent silly simple since sing single sister sit site
situation six siya size skin skip sky sleep sleeping sleepy slept slow slowly small smart smell smile smoke smoking
smooth sms snow social sofa soft sold somebody somehow someone something sometime sometimes somewhere son song songs
soul sound sounds south space speak special speed spend spent spoke sport spreadsheet spring staff stand star start
started starting starts state statement station stationery stay staying step stick stomach stop stopped store story
straight straightaway strange strawberries strawberry street stress strong stuck student study studying stuff stupid
style submission successful such sudah sugar suggest summer sumthin sunday sunny sup supermarket supervisor support
suppose supposed surely surprise surprised sweet sweetheart sweetie swimming system table tak taken takes taking
talaga talk talked talking tapi taste tat taxi tayo tea teach teacher team tear tears technician teeth telephone
television telling temperature ten tennis terms terrible test text texted texting texts thanx theek themselves theory
therefore these think thinking thinks third thirty thk thnk thnks tho those thot though thought thoughts thousand
three through throw thru ths thursday ticket tickets tidak tight tip tired title tks tmrw tmw together tone took top
torch total touch touched tournament town trade traffic train training transaction transfer transport travel treat
treatment tree tried trip trouble true trust truth try trying tu tuesday tum tune turn tut tutorial twelve twenty
twice two tym type udah ugly ull umbrella uncle under undergraduate underground understand unfortunate unfortunately
uni universities university unless unsold until untuk update upset upstairs urgent urself use used useful using usual
usually vacation vaccine valentine valid vegetables vegetarian video view village visa visit voice volleyball vote
voucher waiting wake walk walked walking wall wallet wants war wardrobe warm warning wash wassup watch watcha watched
watching water wats wear weather website wedding wednesday week weekend weeks weight weird welcome west wet whatever
whatevs whatsoever wherever whether while white whole wholeheartedly whom whose whr wid wife wil wind window wine
winner winter wise wish wishes wishing within without wk wks wnt woke wolf woman women wonder wonderful wondering word
words worked working works workshop world worried worry worse worst worth write wrk wrong wrote wud xam xams xmas yaar
yard yday yess yesterdays yourself yrs ystrday yung
"""
_PEOPLE_AND_PLACES = """
alex alexander amy andrew anna anthony ben carlos charles chris christopher daniel david elizabeth emma george jack
james jane jason jessica john jonathan joseph josh karen kate kevin kumar laura lee linda lisa lucy maria mary matt
michael mike nick paul peter priya rahul rachel raj ravi richard robert ryan sam sarah sharma simon singh stephanie
steve steven susan thomas tim wendy william america australia bangalore bengaluru canada delhi england france germany
hyderabad india italy japan malaysia manchester mumbai paris singapore spain sydney chennai kerala pune trivandrum
madurai jurong tampines goa google skype whatsapp uber
"""
_SLANG = """
2day 2moro 2morow 2morrow 2mrw 2nite 2night 4eva 4ever 4get any1 b4 d8 every1 ever1 f8 h8 l8 l8er l8r m8 no1 ne1
ne1thing some1 sum1 sumth1 w8 w8ing m8s u2 me2 n2 in2 on2 up2 b4n str8 luv2 8 4 2 1st 2nd 3rd f9 k9 10x 2c 2b
"""
FILLERS = frozenset(_FILLERS.split()) | frozenset(_FILLERS_ABROAD.split())
"""Words that are hardly ever the label before an ending: a full stop after one ends a sentence."""
PLAIN_WORDS = FILLERS.union(_PLAIN.split(), _PEOPLE_AND_PLACES.split(), _SLANG.split())
"""The fillers and some 2,000 ordinary words."""

_UNITS = (
    "am|pm|a|p|st|nd|rd|th|s|m|h|k|g|l|b|c|d|x|min|mins|hr|hrs|hour|hours|day|days|wk|wks|yr|yrs|kg|km|cm|mm|ml|gb|mb|rs|"
    "rm|usd|cr|lac|lakh|pcs|nos|ish|bhk|pax"
)
_QUANTITY = re.compile(rf"\d+(?:{_UNITS})?|(?:rs|rm|no|nr|inr|usd|gbp|aud|sgd|php|eur|k|p|x)\d+|\d+[ap]m\d*")
_ELONGATED = re.compile(r"([a-z])\1{2,}|(?:ha|he|hi|ho|ja|xa|lo|la|na|ya|ba|mu?w?a){2,}h?")
_ENDS_OF_WORDS = ("tion", "tions", "ment", "ness", "ally", "able", "ible", "ful", "less", "ously", "ical", "ism")
_LONGEST_ING = 10  # longer labels are more likely names: sktshopping
_INFLECTIONS = ("s", "ing", "es", "ed", "d", "er", "ers", "est", "ly", "in", "n", "y", "r", "th", "z")


@lru_cache(maxsize=1 << 14)
def is_plain_word(label: str) -> bool:
    """Whether a lower-case label is an ordinary word, an SMS spelling, or a quantity such as `10am` or `rs500`.

    >>> [is_plain_word(label) for label in ("tomorrow", "2day", "sooooo", "walked", "10am", "hxq88", "re-login")]
    [True, True, True, True, True, False, False]
    """
    if label in PLAIN_WORDS or len(label) == 1:
        return True
    if _QUANTITY.fullmatch(label) or _ELONGATED.search(label):
        return True
    if not label.isalpha():
        return False
    if len(label) > 6 and (label.endswith(_ENDS_OF_WORDS) or (label.endswith("ing") and len(label) <= _LONGEST_ING)):
        return True
    return any(_is_stem(label.removesuffix(ending)) for ending in _INFLECTIONS if label.endswith(ending))


def _is_stem(stem: str) -> bool:
    """Whether a word without its inflection is known: walk(ed), lov(ed), stopp(ed)."""
    if len(stem) > 2 and stem in PLAIN_WORDS:
        return True
    return f"{stem}e" in PLAIN_WORDS or (len(stem) > 3 and stem[-1] == stem[-2] and stem[:-1] in PLAIN_WORDS)
