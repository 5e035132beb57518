"""Victims who are lured by an SMS: a loan, coins, a prize, the medical insurance, a cheap shop."""

from __future__ import annotations

from examples.day import call_in, call_out, missed, sms_in
from examples.listed import COIN, INSURANCE, LOAN, LURES, PRIZE, SHORT_LINK
from examples.people import Story, acquaintance, business
from examples.wording import app_code, code, full_width, hidden, paid

_DAUGHTER, _FRIEND = (acquaintance(399_020 + index) for index in range(2))
_UNLISTED = tuple(f"999002{index:06d}" for index in (118, 274))
"""Fraudsters' numbers that nobody has reported yet: only the links in their texts are known."""

_LOAN = Story(
    name="loan-without-guarantor",
    zh="收到低息贷款短信，点开网址注册收到验证码，对方又催填资料。",
    en="An SMS offers a cheap loan; he registers on the site, gets a code and is pressed to go on.",
    scam_type="loan",
    severity="medium",
    stage="deep",
    age_band="30-39",
    steps=(
        sms_in("11:30:20", LOAN, f"您的20万额度已批，无抵押当日到账，点击{LURES[3]}查看，退订回T"),
        sms_in("11:41:05", business(99_010), app_code("775120")),
        sms_in("13:22:47", LOAN, f"您的资料未填完，额度今日失效：https://{LURES[3]}/apply"),
        call_in("17:40:00", "17:41:20", _FRIEND),
    ),
)

_COIN = Story(
    name="coin-exchange",
    zh="一天三条虚拟币“交易所”短信，网址全角伪装；打电话给114查询该公司。",
    en="Three SMS of a coin “exchange” in one day, its site in full-width letters; he asks 114 about the firm.",
    scam_type="virtual-currency",
    severity="low",
    stage="medium",
    age_band="50-59",
    steps=(
        sms_in("10:05:44", COIN, f"内部消息：新币今晚上线，注册送88U，登录{full_width(LURES[4])}"),
        sms_in("14:48:10", COIN, f"已有1260人盈利，最后200席：{hidden(LURES[4])}"),
        call_out("15:20:35", "15:22:58", "114"),
        sms_in("20:11:32", COIN, f"客服在线，充值通道 ｈｔｔｐｓ：／／{full_width(LURES[4])}／ｖｉｐ"),
    ),
)

_PRIZE = Story(
    name="anniversary-draw",
    zh="“周年庆中奖”短信带短链接，未再理会。",
    en="An SMS about a prize with a shortened link that is listed; nothing follows.",
    scam_type="fake-prize",
    severity="low",
    stage="shallow",
    age_band="60-69",
    steps=(
        sms_in("13:13:13", PRIZE, f"恭喜您获得周年庆二等奖！凭身份证领取 https://{SHORT_LINK} 24小时内有效"),
        call_out("19:01:30", "19:22:10", _DAUGHTER),
    ),
)

_INSURANCE = Story(
    name="insurance-card",
    zh="“医保卡停用”短信，老人点开填卡号，收到两条验证码，15:58被转走26800元。",
    en="“Your insurance card is suspended”: he types in his card, two codes arrive, and money leaves at 15:58.",
    scam_type="insurance-sms",
    severity="urgent",
    stage="harmed",
    money="15:58:20",
    age_band="70-79",
    flags=("lives-alone",),
    steps=(
        missed("15:28:02", _DAUGHTER),
        sms_in("15:36:11", INSURANCE, f"【医保局】您的医保卡将于今日停用，请立即办理认证{LURES[5]}逾期作废"),
        sms_in("15:44:39", "95580", code("209417")),
        sms_in("15:51:06", "95580", code("884530")),
        sms_in("15:58:20", "95580", paid("4406", "26,800.00")),
        call_out("16:35:00", "16:42:18", _DAUGHTER),
    ),
)

_PENSION = Story(
    name="pension-refund",
    zh="陌生号码发来“养老金补缴”网址，只点开未填写，接着未接到一个骚扰来电。",
    en="An unlisted number sends a listed site about pension arrears; a call from another unlisted number is missed.",
    scam_type="other",
    severity="low",
    stage="shallow",
    age_band="60-69",
    steps=(
        sms_in("09:50:27", _UNLISTED[0], f"【社保中心】养老金补缴窗口今日关闭，办理网址：{LURES[6]}/sb"),
        missed("09:58:40", _UNLISTED[1], 15),
        call_out("12:10:05", "12:16:31", _FRIEND),
    ),
)

_SHOP = Story(
    name="clearance-sale",
    zh="“清仓1折”购物网址短信，地址用隐藏字符伪装。",
    en="An SMS advertises a fake shop, an invisible character in its address.",
    scam_type="other",
    severity="low",
    stage="shallow",
    age_band="18-29",
    steps=(sms_in("20:40:52", _UNLISTED[1], f"品牌清仓1折起，货到付款 {hidden(LURES[7])} 限今晚"),),
)

LURED = (_LOAN, _COIN, _PRIZE, _INSURANCE, _PENSION, _SHOP)
"""The victims of this module."""
