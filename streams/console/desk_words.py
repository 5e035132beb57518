"""Words of the pages for analysts, auditors and administrators, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

DESK_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "nav.look-up": ("关联查询", "Look-up"),
    "look-up.type": ("查询内容", "Look for"),
    "look-up.number": ("电话号码", "Number"),
    "look-up.domain": ("域名", "Domain"),
    "look-up.url": ("网址", "URL"),
    "look-up.value": ("号码（号段以 * 结尾）、域名或网址", "Number (a prefix ends with *), domain or URL"),
    "look-up.case": ("案件编号", "Case reference"),
    "look-up.days": ("回溯天数", "Days to look back"),
    "look-up.note": (
        "查询会连同案件编号和您的用户名记入审计日志。",
        "The audit log records the look-up, with the case and your name.",
    ),
    "look-up.send": ("查询", "Look up"),
    "look-up.wrong": ("请填写查询内容、案件编号和天数。", "Fill in what to look for, the case and the days."),
    "look-up.wrong-value": (
        "这不是可以查询的号码、域名或网址。",
        "This cannot be looked up.",
    ),
    "look-up.too-far-back": ("超出通联记录的保存期限。", "Contacts are not kept for so long."),
    "look-up.too-many": ("结果过多，请缩短回溯天数。", "Too much was found. Look back fewer days."),
    "look-up.no-ledger": (
        "此处无法读取通联台账，请联系管理员。",
        "The ledger cannot be read. Ask your administrator.",
    ),
    "look-up.busy": ("另一项查询正在进行，请稍后再试。", "Another look-up is running. Try again in a moment."),
    "look-up.found": ("共联系到 {n} 人", "{n} people were reached"),
    "look-up.masked": ("号码仅显示末两位。", "Only the last two digits of numbers are shown."),
    "look-up.cut": ("仅显示最近联系的 {n} 条。", "Only the latest {n} lines are shown."),
    "look-up.person": ("机主号码", "Person"),
    "look-up.first": ("首次联系", "First"),
    "look-up.last": ("最近联系", "Last"),
    "look-up.contacts": ("次数", "Contacts"),
    "look-up.calls-in": ("来电", "Calls in"),
    "look-up.calls-out": ("去电", "Calls out"),
    "look-up.talk": ("通话分钟", "Talk (min)"),
    "look-up.sms-in": ("收短信", "SMS in"),
    "look-up.sms-out": ("发短信", "SMS out"),
}
