"""Texts of harmless senders in Chinese and English, and the spellings of hosts with which fraudsters evade filters."""

from __future__ import annotations

from random import Random

DELIVERIES = (
    "【小蜂快递】您的包裹已到南门驿站，取件码{a}-{b}-{n4}，请于今日21点前领取。",
    "【小蜂快递】您的包裹{n8}正在派送，派送员稍后与您联系，详情 https://parcel.example/t/{n8}",
    "【云朵商城】您的订单{n8}已发货，物流查询：https://shop.cloudmall.example/o/{n8}",
    "【邻里驿站】您有{a}件包裹待取，货架{b}-{n4}，凭手机尾号领取。",
    "[Bee Parcel] Your parcel {n8} arrives today between {a}pm and 9pm: https://parcel.example/t/{n8}",
)
BANK_NOTICES = (
    "【银行提醒】您尾号{n4}的储蓄卡{m}月{d}日消费支出{n3}.{n2}元，余额{n4}.{n2}元。",
    "【银行提醒】您尾号{n4}的储蓄卡于今日收入工资{n4}.00元，余额1{n4}.{n2}元。",
    "【银行提醒】您尾号{n4}的信用卡本期账单{n3}.{n2}元，到期还款日{m}月25日。",
    "[Bank] Your card ending {n4} was charged CNY {n3}.{n2}. Balance CNY {n4}.{n2}.",
)
CODES = (
    "【云朵商城】验证码{n6}，您正在登录，5分钟内有效，请勿告诉他人。",
    "【银行】您正在进行网上支付，验证码{n6}，任何人索要都是诈骗。",
    "【同城出行】您的登录验证码是{n4}，10分钟内有效。",
    "【市民云】动态码{n6}，用于实名认证，请勿转发。",
    "[CloudMall] Your verification code is {n6}. Do not share it with anyone.",
)
NOTICES = (
    "【掌上营业厅】您本月已使用流量{a}.{b}GB，套餐剩余通话{n3}分钟。",
    "【城市气象】今天多云转小雨，气温9到16度，出门请带伞。",
    "【阳光物业】3号楼明日上午9点至11点停水检修，请提前储水。",
    "【第二小学】家长您好，本周五下午3点召开家长会，请准时参加。",
    "【社区医院】您预约的{d}日上午体检，请空腹前来，地图 https://clinic.example/map",
    "【市图书馆】您借阅的图书将于{d}日到期，续借 https://library.example/r/{n6}",
    "[Metro] Line 2 runs every 6 minutes during the evening peak today.",
)
CHAT_IN = (
    "晚上回来吃饭吗？",
    "我到楼下了，你慢慢来",
    "周末一起去爬山吧",
    "妈，我下班了，路上堵车",
    "会议改到下午{a}点了",
    "收到，谢谢！",
    "孩子我接到了，放心",
    "菜已经买好了，早点回",
    "Running late, see you at {a}",
    "Happy birthday! Dinner on Friday?",
)
CHAT_OUT = ("好的", "马上到", "我在开会，晚点打给你", "知道了", "谢谢啊", "OK, see you then", "路上注意安全")


def filled(template: str, rng: Random) -> str:
    """A template with its placeholders filled: digits (``n2`` to ``n8``), a day in March, small numbers.

    >>> filled("尾号{n4}", Random(1)) == filled("尾号{n4}", Random(1))
    True
    """
    places = {f"n{digits}": str(rng.randrange(10 ** (digits - 1), 10**digits)) for digits in (2, 3, 4, 6, 8)}
    return template.format(**places, a=rng.randrange(2, 9), b=rng.randrange(1, 9), m=3, d=rng.randrange(17, 31))


def code(digits: str) -> str:
    """A bank's verification code."""
    return f"【银行】您正在进行网上支付，验证码{digits}，切勿告诉任何人，谨防诈骗。"


def app_code(digits: str) -> str:
    """A verification code of another service."""
    return f"【钱包助手】验证码{digits}，用于注册或登录，5分钟内有效。"


def paid(tail: str, amount: str) -> str:
    """A bank's notice that money has left an account."""
    return f"【银行提醒】您尾号{tail}的储蓄卡转账支出{amount}元，如非本人操作请立即致电客服。"


def full_width(host: str) -> str:
    """A host in full-width characters.

    >>> full_width("a1.top")
    'ａ１．ｔｏｐ'
    """
    return "".join(chr(ord(letter) + 0xFEE0) for letter in host)


def bracketed(host: str) -> str:
    """A host with its last dot in brackets.

    >>> bracketed("a.top")
    'a[.]top'
    """
    return "[.]".join(host.rsplit(".", 1))


def hidden(host: str) -> str:
    """A host with an invisible character inside."""
    return f"{host[0]}\u200b{host[1:]}"
