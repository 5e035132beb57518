"""Words of the weekly bulletin and of its page, in Chinese and in English."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

BULLETIN_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    "nav.bulletin": ("宣防周报", "Bulletin"),
    "bulletin.choose.unit": ("单位", "Unit"),
    "bulletin.choose.week": ("周次", "Week"),
    "bulletin.choose.send": ("查看", "Show"),
    "bulletin.print": (
        "用浏览器的打印功能即可打印，正好一页 A4 纸。",
        "Print it with your browser: it fits on one A4 page.",
    ),
    "bulletin.none": (
        "这一周人数太少，无法编制周报；请选择其他周次。",
        "Too few people were contacted that week for a bulletin. Choose another week.",
    ),
    "bulletin.no-week": (
        "没有这一周的周报：该周尚未结束，或数据已过保存期限。请选择其他周次。",
        "There is no bulletin of that week: it is not over yet, or no longer kept. Choose another week.",
    ),
    "bulletin.no-unit": ("没有这个单位，或不属于您查看的范围。", "There is no such unit, or you may not see it."),
    "bulletin.no-kafka": (
        "暂时读不到提醒短信的数据，请稍后再试。",
        "The data about reminders cannot be read at present. Try again in a moment.",
    ),
    # The sheet.
    "bulletin.title": ("反诈精准宣防周报", "Fraud prevention bulletin"),
    "bulletin.period.week": ("{year} 年第 {week} 周（{first} 至 {last}）", "Week {week} of {year} ({first} to {last})"),
    "bulletin.period.month": ("四周（{first} 至 {last}）", "Four weeks ({first} to {last})"),
    "bulletin.day": ("{month} 月 {day} 日", "{day} {month}"),
    "bulletin.wider.month": (
        "{asked}当周人数太少，以下为四周合计。",
        "{asked} had too few people that week. These are four weeks together.",
    ),
    "bulletin.wider.unit": (
        "{asked}人数太少，以下为{unit}的情况。",
        "{asked} had too few people. This is {unit}.",
    ),
    "bulletin.most": ("最多的是{scam}。", "Most common: {scam}."),
    "bulletin.new": ("新出现：{scams}。", "New: {scams}."),
    "bulletin.spreads": ("正在扩散：{scams}。", "Spreading: {scams}."),
    "bulletin.people": ("接触到诈骗的人", "Contacted by fraudsters"),
    "bulletin.ordered": ("下达指令", "Orders to stations"),
    "bulletin.talked": ("民警接通或见到", "Reached by officers"),
    "bulletin.reminded": ("短信提醒", "Reminded by SMS"),
    "bulletin.harmed": ("已被骗（有损失）", "Had lost money"),
    "bulletin.before.week": ("上周 {n}", "week before: {n}"),
    "bulletin.before.month": ("前四周 {n}", "four weeks before: {n}"),
    "bulletin.few": ("少于 {n}", "under {n}"),
    "bulletin.types": ("哪些骗局找上了门", "Scams in the area"),
    "bulletin.type": ("诈骗类型", "Scam"),
    "bulletin.count": ("人数", "People"),
    "bulletin.then.week": ("上周", "Week before"),
    "bulletin.then.month": ("前四周", "Four weeks before"),
    "bulletin.share": ("占比", "Share"),
    "bulletin.city-share": ("全市占比", "In the city"),
    "bulletin.stations": ("达到 {n} 人的派出所", "Stations with {n} or more"),
    "bulletin.mark.new": ("新出现", "new"),
    "bulletin.mark.spreads": ("扩散中", "spreading"),
    "bulletin.trend.more": ("↑ 比之前多", "↑ more than before"),
    "bulletin.trend.fewer": ("↓ 比之前少", "↓ fewer than before"),
    "bulletin.trend.same": ("→ 持平", "→ as before"),
    "bulletin.trend.unknown": ("– 之前情况不详", "– before is not known"),
    "bulletin.ages": ("年龄段", "Age"),
    "bulletin.languages": ("使用语言", "Language"),
    "bulletin.of-orders": ("收到指令的人中", "Of people with an order"),
    "bulletin.no-rows": ("各组人数都太少", "every group is too small"),
    "bulletin.words": ("给社区志愿者：怎么跟邻居说", "For volunteers: what to tell neighbours"),
    "bulletin.story": ("骗子会怎么说", "What the fraudster says"),
    "bulletin.never": ("请告诉邻居", "Tell your neighbours"),
    "bulletin.help": (
        "接到可疑电话、短信，先挂断，拨 96110 咨询；钱已转出，马上拨 110。",
        "A strange call or SMS? Hang up and ask 96110. Money already sent? Dial 110 at once.",
    ),
    "bulletin.arithmetic": (
        "人数四舍五入到 5 的倍数，少于 {n} 人不显示；每人只计一次。占比按显示的人数计算。误报不计。",
        "Counts of people are rounded to a multiple of 5, and fewer than {n} are not shown. Everybody counts once. "
        "Shares are of the counts as shown. False alarms are left out.",
    ),
    "bulletin.uncompared": ("之前的情况不详。", "What was before is not known."),
}
