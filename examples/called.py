"""Victims of fraudsters who talk to them on the phone: a false police officer, a refund, a boss, blackmail."""

from __future__ import annotations

from examples.day import call_in, call_out, missed, sms_in, sms_out
from examples.listed import (
    AUTHORITY,
    AUTHORITY_TOO,
    BOSS,
    LURES,
    ONE_RING,
    ROMANCE,
    SERVICE,
    SEXTORTION_PREFIX,
    TASK,
)
from examples.people import Story, acquaintance, business
from examples.wording import app_code, bracketed, code, full_width, hidden, paid

_HUSBAND, _SISTER, _COLLEAGUE, _SON = (acquaintance(399_000 + index) for index in range(4))
_COURIER = business(99_001)
_CHAT_APP = business(99_002)
_BLACKMAILER = f"{SEXTORTION_PREFIX}45102"

TRUE_CASE = Story(
    name="disease-control",
    zh="10:40接到“疾控中心”来电，随后转接“警方”；被要求手机静音，陆续收到验证码，11:00仍在通话。",
    en="At 10:40 a woman is called by “disease control” and passed on to “the police”. She is told to silence her "
    "phone, gets codes, and is still on the line at 11:00.",
    scam_type="impersonated-authority",
    severity="urgent",
    stage="deep",
    age_band="30-39",
    steps=(
        sms_in("08:05:12", _HUSBAND, "我先走了，孩子早饭在锅里"),
        call_in("09:12:40", "09:13:31", _COURIER),
        call_in("10:40:00", "11:08:12", AUTHORITY),
        sms_in("10:45:36", "95588", code("407153")),
        missed("10:49:02", _HUSBAND, 32),
        sms_in("10:49:50", _HUSBAND, "怎么不接电话？看到回我"),
        sms_in("10:51:18", "95588", code("926408")),
        sms_in("10:57:44", _CHAT_APP, app_code("530917")),
        missed("11:02:10", _HUSBAND, 35),
        call_in("11:09:05", "11:16:40", "96110"),
        call_out("11:17:20", "11:21:02", _HUSBAND),
    ),
)

_REFUND = Story(
    name="lost-parcel",
    zh="“快递客服”称包裹丢失双倍赔付，发来退款网址并索要验证码，14:21转出48600元。",
    en="“Customer service” offers a refund for a lost parcel, sends a site and asks for codes; money leaves at 14:21.",
    scam_type="impersonated-service",
    severity="urgent",
    stage="harmed",
    money="14:21:30",
    age_band="40-49",
    steps=(
        sms_in("11:20:08", _COURIER, "【小蜂快递】您的包裹已到南门驿站，取件码3-7-2214。"),
        call_in("14:05:10", "14:31:45", SERVICE),
        sms_in("14:09:20", business(99_003), f"【客服中心】理赔请登录{full_width(LURES[0])}／ｃ填写银行卡，专员协助"),
        sms_in("14:15:02", "95533", code("118274")),
        sms_in("14:17:48", "95533", code("663905")),
        sms_in("14:21:30", "95533", paid("6310", "48,600.00")),
        call_out("14:40:12", "14:49:55", "95533"),
        call_out("14:51:00", "14:56:30", "110"),
    ),
)

_BOSS = Story(
    name="new-number-of-the-boss",
    zh="收到“王总”换号短信，回拨后被要求代付合同款，致电银行提高限额，10:12转出120000元。",
    en="An SMS from “the boss's new number”; the bookkeeper rings back, rings the bank and pays at 10:12.",
    scam_type="impersonated-boss",
    severity="urgent",
    stage="harmed",
    money="10:12:05",
    age_band="50-59",
    steps=(
        sms_in("09:12:33", BOSS, "小李，我是王总，这是我的新号码，存一下。到公司后给我回个电话，有急事。"),
        call_out("09:40:15", "09:44:50", BOSS),
        call_out("10:01:20", "10:07:42", "95588"),
        sms_in("10:12:05", "95588", paid("0972", "120,000.00")),
        sms_out("10:13:10", BOSS, "王总，款已付，回单发您微信"),
        call_out("15:30:18", "15:32:40", _COLLEAGUE),
    ),
)

_TASK = Story(
    name="likes-for-cash",
    zh="短信招“点赞兼职”，附变形网址；下午与“导师”通话三分多钟，准备垫付。",
    en="An SMS offers cash for likes, with a disguised link; in the afternoon she talks with the “tutor” for minutes.",
    scam_type="task-rebate",
    severity="high",
    stage="medium",
    age_band="18-29",
    steps=(
        sms_in("12:18:40", TASK, f"在家点赞日结300元，先领58元红包：hxxp://{bracketed(LURES[1])}/job 名额有限"),
        sms_out("12:31:05", TASK, "怎么做？"),
        call_in("15:44:20", "15:47:58", TASK),
        sms_in("18:02:17", _SISTER, "晚上一起吃火锅吗"),
    ),
)

_ROMANCE = Story(
    name="the-engineer-abroad",
    zh="网恋“海外工程师”每天发来投资网址，晚间长谈47分钟，随后致电银行询问大额转账。",
    en="A “fiancé abroad” sends links to a trading site, talks with her for 47 minutes and has her ring the bank.",
    scam_type="romance-investment",
    severity="urgent",
    stage="deep",
    age_band="40-49",
    flags=("lives-alone",),
    steps=(
        sms_in("08:01:05", ROMANCE, "早安亲爱的，今天也要开心"),
        sms_in("12:40:22", ROMANCE, f"老师说今晚有行情，先开户{hidden(LURES[2])}用我的邀请码8821"),
        sms_in("19:05:48", ROMANCE, f"入金页面更新了 https://{LURES[2]}/#/deposit 等你"),
        call_in("19:30:10", "20:17:25", ROMANCE),
        call_out("20:22:40", "20:29:12", "95599"),
    ),
)

_SEXTORTION = Story(
    name="video-chat",
    zh="深夜境外号码来电八分钟，以裸聊视频要挟转账，又发短信恐吓；随后报警。",
    en="Late at night a caller from abroad blackmails him with a video; a threat follows by SMS, and he rings 110.",
    scam_type="sextortion",
    severity="high",
    stage="medium",
    age_band="18-29",
    steps=(
        call_out("21:15:30", "21:18:02", acquaintance(399_010)),
        call_in("22:52:14", "23:00:40", _BLACKMAILER),
        sms_in("23:03:25", _BLACKMAILER, "十分钟内不转两万，视频发你通讯录所有人"),
        call_out("23:10:08", "23:16:44", "110"),
    ),
)

_ONE_RING = Story(
    name="one-ring",
    zh="早晨响一声就挂，回拨后被留住八分钟。",
    en="The phone rings once in the morning; he rings back and is kept on the line for eight minutes.",
    scam_type="other",
    severity="high",
    stage="deep",
    age_band="60-69",
    steps=(
        missed("08:20:31", ONE_RING, 3),
        call_out("08:31:12", "08:39:40", ONE_RING),
        call_out("10:02:00", "10:06:33", _SON),
    ),
)

_HUNG_UP = Story(
    name="hung-up",
    zh="“公安局”来电，25秒即挂断，随后拨打96110核实。",
    en="“The police” call; she hangs up after 25 seconds and checks with the anti-fraud line 96110.",
    scam_type="impersonated-authority",
    severity="low",
    stage="medium",
    age_band="70-79",
    steps=(
        call_in("16:20:10", "16:20:42", AUTHORITY_TOO),
        call_out("16:24:30", "16:27:15", "96110"),
        call_out("16:30:02", "16:41:50", _SON),
    ),
)

CALLED = (TRUE_CASE, _REFUND, _BOSS, _TASK, _ROMANCE, _SEXTORTION, _ONE_RING, _HUNG_UP)
"""The victims of this module; the first is a true case."""
