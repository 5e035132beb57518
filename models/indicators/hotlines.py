"""Hotlines: the numbers of police, banks, authorities and carriers, which can never become indicators.

This is the table behind :func:`models.indicators.numbers.hotline`, which knows the other spellings of these numbers. A
site that needs another number adds its line here. The signals distinguish the kinds.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, Literal

HotlineKind = Literal["police", "directory", "bank", "authority", "carrier"]

_PROTECTED: Final[dict[HotlineKind, dict[str, str]]] = {
    "police": {
        "110": "警情 police emergency",
        "12110": "短信报警 police emergency by SMS",
        "96110": "反诈专线 anti-fraud line of the public security bureaus",
        "12381": "涉诈预警 fraud warning SMS of the MIIT",
    },
    "directory": {"114": "号码百事通 directory enquiries"},
    "bank": {
        "95588": "中国工商银行 ICBC",
        "95599": "中国农业银行 Agricultural Bank of China",
        "95566": "中国银行 Bank of China",
        "95533": "中国建设银行 China Construction Bank",
        "95559": "交通银行 Bank of Communications",
        "95580": "中国邮政储蓄银行 Postal Savings Bank of China",
        "95555": "招商银行 China Merchants Bank",
        "95528": "浦发银行 Shanghai Pudong Development Bank",
        "95558": "中信银行 China CITIC Bank",
        "95595": "中国光大银行 China Everbright Bank",
        "95568": "中国民生银行 China Minsheng Bank",
        "95561": "兴业银行 Industrial Bank",
        "95511": "平安 Ping An (bank and insurance)",
        "95577": "华夏银行 Hua Xia Bank",
        "95508": "广发银行 China Guangfa Bank",
        "95527": "浙商银行 China Zheshang Bank",
        "95541": "渤海银行 China Bohai Bank",
        "95395": "恒丰银行 Hengfeng Bank",
        "95526": "北京银行 Bank of Beijing",
        "95594": "上海银行 Bank of Shanghai",
        "95574": "宁波银行 Bank of Ningbo",
        "95319": "江苏银行 Bank of Jiangsu",
        "95516": "中国银联 China UnionPay",
        "95188": "支付宝 Alipay",
        "95017": "腾讯 Tencent (WeChat Pay)",
    },
    "authority": {
        "112": "emergency number of GSM networks",
        "119": "火警 fire brigade",
        "120": "急救 ambulance",
        "122": "交通事故 traffic accidents",
        "911": "emergency number that handsets redirect",
        "999": "急救 Red Cross ambulance in Beijing; emergencies in Hong Kong and Macao",
        "12305": "邮政 postal regulator",
        "12306": "铁路 railways",
        "12309": "检察 procuratorates",
        "12315": "市场监管 market regulator, consumers' complaints",
        "12320": "卫生 health",
        "12321": "网络不良信息举报 reports of spam and harmful messages",
        "12328": "交通运输 transport",
        "12333": "人力资源社会保障 social security",
        "12345": "政务服务 government services",
        "12348": "法律援助 legal aid",
        "12360": "海关 customs",
        "12363": "人民银行 central bank, consumers' rights",
        "12366": "税务 tax",
        "12368": "法院 courts",
        "12377": "互联网举报 reports of illegal content",
        "12378": "金融监管 banking and insurance regulator",
        "12386": "证监 securities regulator",
        "12388": "纪检监察 discipline inspection",
        "12389": "公安举报 complaints about the police",
    },
    "carrier": {
        "10000": "中国电信 China Telecom",
        "10010": "中国联通 China Unicom",
        "10086": "中国移动 China Mobile",
        "10099": "中国广电 China Broadnet",
    },
}

PROTECTED: Final[Mapping[str, HotlineKind]] = MappingProxyType(
    {number: kind for kind, numbers in _PROTECTED.items() for number in numbers}
)
"""Numbers that can never become indicators, with their kind.

Fraudsters show these numbers to their victims, and victims ring them to check: an indicator for one would warn people
about their own police and bank. Sources: the Ministry of Public Security for 96110 (people called by it are being
defrauded) and 12110; the Ministry of Industry and Information Technology for 12381 (since 14 July 2021) and the 123xx
lines; the published service number of each bank and carrier.
"""

NAMES: Final[Mapping[str, str]] = MappingProxyType(
    {number: name for numbers in _PROTECTED.values() for number, name in numbers.items()}
)
"""The owner of each number in :data:`PROTECTED`, in Chinese and English."""
