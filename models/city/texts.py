"""Texts: the SMS texts of the city, by name. Each copy gets its own digits.

``{n4}`` stands for four digits, other placeholders likewise. ``{link}`` stands for a link, ``{number}`` for a number
that a gang wants to be rung at, and ``{line}`` for that of a telemarketer. All texts were written for this simulation.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

TEXTS: Final[Mapping[str, tuple[str, ...]]] = MappingProxyType(
    {
        # Ordinary life.
        "chat": (
            "好的，晚上见",
            "我在开会，晚点打给你",
            "到家了吗？",
            "路上注意安全",
            "明天几点？",
            "妈，周末我回来吃饭",
            "收到，谢谢",
            "帮我拿一下快递，取件码{n4}",
            "OK, see you then",
            "我到楼下了",
            "文件发你邮箱了，看一下",
            "孩子放学我去接",
        ),
        "code": (
            "【云朵商城】验证码{n6}，您正在登录，5分钟内有效，请勿告诉他人。",
            "【银行】您正在进行网上支付，验证码{n6}，任何人索要都是诈骗。",
            "【同城出行】您的登录验证码是{n4}，10分钟内有效。",
            "[CloudMall] Your verification code is {n6}. Do not share it with anyone.",
        ),
        "bank-notice": (
            "【银行提醒】您尾号{n4}的储蓄卡消费支出{n3}.{n2}元，余额{n4}.{n2}元。",
            "【银行提醒】您尾号{n4}的储蓄卡转账支出{n4}.00元，余额{n3}.{n2}元。",
            "[Bank] Your card ending {n4} was charged CNY {n3}.{n2}. Balance CNY {n4}.{n2}.",
        ),
        "delivery": (
            "【小蜂快递】您的包裹已到南门驿站，取件码{n4}，请于今日21点前领取。",
            "【小蜂快递】您的包裹{n8}正在派送，详情 https://parcel.example/t/{n8}",
            "【云朵商城】您的订单{n8}已发货，物流查询：https://shop.cloudmall.example/o/{n8}",
        ),
        "advert": (
            "【云朵商城】会员日全场{n2}折起，戳 https://shop.cloudmall.example/d/{n6} 退订回T",
            "【健身】春季课程报名中，到店咨询可领体验券，回T退订",
            "【装修】您小区已有{n2}户开工，免费量房，回T退订",
            "【装修】您小区已有{n2}户开工，免费量房请致电{line}，回T退订",
        ),
        # Gangs' texts, and the victims' replies.
        "parcel-lost": (
            "您的包裹{n8}丢失，理赔双倍赔付，请添加客服办理 {link}",
            "【快递理赔】运单{n8}因破损拒收，退款入口：{link}",
            "【快递理赔】您的包裹{n8}丢失，请于今日内致电理赔专员 {number} 办理双倍赔付",
        ),
        "insurance-expired": (
            "【医保】您的医保电子凭证已于今日停用，请尽快认证激活：{link}",
            "您的社保卡年审未完成，逾期将暂停使用，认证 {link}",
        ),
        "loan-offer": (
            "您已获得{n2}0000元预批额度，年化3.6%，当天到账：{link}",
            "【分期】征信花也能贷，最高{n2}万，点 {link} 领取，回T退订",
        ),
        "job-offer": (
            "居家兼职，点赞关注一单一结，日入{n3}元，联系 {link}",
            "Part-time from home, CNY {n3} a day, paid per task: {link}",
        ),
        "prize": (
            "恭喜您的手机号获得二等奖，奖金{n2}000元，登录 {link} 领取，验证码{n4}，详询{number}",
            "恭喜您的手机号获得二等奖，奖金{n2}000元，领取请致电{number}，领奖编号{n4}",
        ),
        "invest": (
            "老师今晚直播讲短线，名额有限，进群 {link}",
            "平台提现已到账，继续加仓收益翻倍 {link}",
        ),
        "threat": (
            "你的视频和通讯录都在我手里，半小时内不打钱就群发",
            "还差{n4}元，转完就删，别报警",
        ),
        "boss": (
            "小王，我是你们领导，这是我新号码，存一下",
            "在开会不方便接电话，先帮我转一笔款，账号发你",
        ),
        "greeting": ("你好，请问是李老师吗？", "不好意思发错了，看你头像挺有缘的"),
        "case-number": ("案件编号{n8}，请登录 {link} 核对您的资金，切勿告知他人",),
        "reply": ("好的", "已经转了", "怎么弄？", "收到验证码了", "能再等一下吗"),
    }
)
