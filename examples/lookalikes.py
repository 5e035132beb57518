"""Harmless people whose day looks like a victim's: each differs in the one thing that matters."""

from __future__ import annotations

from examples.day import call_in, call_out, missed, sms_in, sms_out
from examples.listed import LOAN_SITE, ONE_RING, PRIZE_SITE, SEXTORTION_PREFIX
from examples.people import Story, abroad, acquaintance, business, subscriber
from examples.wording import app_code, code, paid

_MOTHER, _FRIEND, _SON = (acquaintance(399_040 + index) for index in range(3))
_COURIER, _SHOP, _BAKERY, _WALLET = (business(99_020 + index) for index in range(4))

_BANK_CODES = Story(
    name="own-bank-codes",
    zh="自己在手机银行转账，连收三条银行验证码和一条扣款通知。",
    en="Pays her rent by phone: three codes and a notice, all from her own bank.",
    age_band="30-39",
    steps=(
        sms_in("10:41:05", "95533", code("334817")),
        sms_in("10:43:20", "95533", code("905126")),
        sms_in("10:46:11", "95533", code("271640")),
        sms_in("10:47:30", "95533", paid("7715", "4,200.00")),
    ),
)

_DELIVERY = Story(
    name="delivery",
    zh="快递短信带网址，快递员来电两次，一次未接。",
    en="A courier's SMS with a link, and two calls of the courier, one of them missed.",
    age_band="40-49",
    steps=(
        sms_in("09:31:00", _COURIER, "【小蜂快递】您的包裹88150264正在派送，详情 https://parcel.example/t/88150264"),
        missed("11:05:10", _COURIER),
        call_in("11:09:42", "11:10:25", _COURIER),
    ),
)

_DIRECTORY = Story(
    name="asks-114",
    zh="拨打114查询修锁电话，然后打给修锁店。",
    en="Asks 114 for a locksmith and rings the locksmith.",
    age_band="60-69",
    steps=(
        call_out("13:02:15", "13:03:50", "114"),
        call_out("13:05:08", "13:07:40", business(99_030)),
        call_in("13:40:21", "13:40:58", business(99_030)),
    ),
)

_FRIEND_ABROAD = Story(
    name="friend-abroad",
    zh="与在国外的老同学通话68分钟，通话中收到登录验证码。",
    en="Talks for 68 minutes with a friend abroad; a code for logging in arrives meanwhile.",
    age_band="30-39",
    steps=(
        call_in("20:10:00", "21:18:30", abroad(118_204)),
        sms_in("20:44:16", _WALLET, app_code("640291")),
        sms_out("21:20:05", abroad(118_204), "聊得开心，下周再打"),
    ),
)

_SHOPPING = Story(
    name="shopping",
    zh="网购抢购，二十分钟内六条验证码，两条扣款通知。",
    en="Shops online: six codes within twenty minutes, and two payments.",
    age_band="18-29",
    steps=(
        *(
            sms_in(f"20:{minute}:12", _SHOP, f"【云朵商城】验证码{digits}，请在5分钟内完成支付。")
            for minute, digits in (
                ("00", "118840"),
                ("03", "725501"),
                ("07", "390266"),
                ("11", "847713"),
                ("15", "562098"),
                ("19", "203375"),
            )
        ),
        sms_in("20:08:02", "95555", paid("2291", "699.00")),
        sms_in("20:19:55", "95555", paid("2291", "1,288.00")),
        sms_in("20:30:40", _SHOP, "【云朵商城】订单66120387已付款，查看 https://shop.cloudmall.example/o/66120387"),
    ),
)

_RINGS_BANK = Story(
    name="lost-card",
    zh="银行卡丢失，致电95588挂失通话24分钟，收到核身验证码。",
    en="Reports a lost card: 24 minutes with the bank's hotline, and a code to prove who he is.",
    age_band="50-59",
    steps=(
        call_out("14:10:00", "14:34:20", "95588"),
        sms_in("14:18:33", "95588", code("481605")),
    ),
)

_BANK_RINGS = Story(
    name="called-by-the-bank",
    zh="银行客服95555来电核实一笔交易，随后收到交易通知。",
    en="The bank's hotline calls to check a payment; its notice follows.",
    age_band="40-49",
    steps=(
        call_in("16:02:00", "16:09:30", "95555"),
        sms_in("16:10:41", "95555", paid("8830", "3,650.00")),
    ),
)

_SHORT_LINK = Story(
    name="menu-link",
    zh="面包店短信用同一家短链接服务，但路径不同。",
    en="A bakery uses the link shortener of a listed link, with another path.",
    age_band="30-39",
    steps=(sms_in("15:05:25", _BAKERY, "本周新品到店八折，菜单见 https://bit.ly/example/menu-7 欢迎光临"),),
)

_LONGER_HOST = Story(
    name="longer-host",
    zh="书店网址以诈骗域名开头，但属于另一个域名；另一网址只是结尾相似。",
    en="A bookshop's host begins with a listed domain but belongs to another; another ends like a listed one.",
    age_band="18-29",
    steps=(
        sms_in("12:02:18", _SHOP, f"读书会报名 https://{LOAN_SITE}.bookshop.example/club 周六见"),
        sms_in("12:20:40", _SHOP, f"新书预售 https://un{PRIZE_SITE}/new 满百减二十"),
    ),
)

_SAME_ENDING = Story(
    name="same-ending",
    zh="与朋友通话21分钟，朋友号码的末六位与诈骗号码相同；未接来电后回拨。",
    en="A friend's number ends with the last six digits of a listed one; a missed call, rung back, 21 minutes.",
    age_band="50-59",
    steps=(
        missed("18:30:05", subscriber(int(ONE_RING[-6:]))),
        call_out("18:34:12", "18:55:40", subscriber(int(ONE_RING[-6:]))),
    ),
)

_NEXT_BLOCK = Story(
    name="next-block",
    zh="合作方在国外，号码段与被列入的号段只差一位。",
    en="Rings a supplier abroad whose number lies in the block after a listed prefix.",
    age_band="40-49",
    steps=(
        call_in("11:15:00", "11:27:30", f"{int(SEXTORTION_PREFIX) + 1}45102"),
        call_out("17:02:10", "17:08:45", f"{int(SEXTORTION_PREFIX) + 1}45102"),
    ),
)

_NEIGHBOUR = Story(
    name="noise-at-night",
    zh="深夜报警反映邻居噪音，民警回电。",
    en="Rings 110 about noise at night; the police call back.",
    age_band="70-79",
    flags=("lives-alone",),
    steps=(
        call_out("23:05:20", "23:07:41", "110"),
        call_in("23:20:14", "23:22:30", "110"),
        call_out("23:25:00", "23:31:12", _SON),
    ),
)

_WARNED = Story(
    name="warned-in-general",
    zh="收到反诈宣传短信，接到96110宣传来电，和家人聊起诈骗。",
    en="Gets the police's general warning by SMS and phone and talks about fraud with her family.",
    age_band="60-69",
    steps=(
        sms_in("09:00:10", "96110", "【反诈中心】凡是自称公检法要求转账到安全账户的都是诈骗，请勿泄露验证码。"),
        call_in("09:35:40", "09:38:05", "96110"),
        call_out("09:41:00", "10:12:30", _MOTHER),
    ),
)

_STUDENT = Story(
    name="student-from-abroad",
    zh="留学生给家里汇款，英文验证码和银行通知，与国外家人通话52分钟。",
    en="A student sends money home: English codes and notices, and 52 minutes with the family abroad.",
    language="en",
    age_band="18-29",
    steps=(
        sms_in("19:58:20", _WALLET, "Your one-time code is 552081. Never share it."),
        sms_in("20:01:44", "95566", "[Bank] Your card ending 3047 was debited CNY 5,000.00. Balance CNY 1,204.18."),
        call_out("20:06:00", "20:58:25", abroad(640_077)),
        sms_in("21:02:31", _FRIEND, "Did it arrive? Tell your mum hello"),
    ),
)

LOOK_ALIKES = (
    _BANK_CODES,
    _DELIVERY,
    _DIRECTORY,
    _FRIEND_ABROAD,
    _SHOPPING,
    _RINGS_BANK,
    _BANK_RINGS,
    _SHORT_LINK,
    _LONGER_HOST,
    _SAME_ENDING,
    _NEXT_BLOCK,
    _NEIGHBOUR,
    _WARNED,
    _STUDENT,
)
"""The harmless people of this module."""
