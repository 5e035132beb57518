"""Payment words: the console's texts about payments, a part of the table in `streams.console.words`."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

PAYMENT_WORDS: Final[Mapping[str, tuple[str, str]]] = {
    # Asking for a stop.
    "act.stop": ("申请紧急止付", "Stop a payment"),
    "act.stop.send": ("立即申请紧急止付", "Request the stop now"),
    "act.stop.payee": ("收款账号", "Payee's account"),
    "act.stop.bank": ("收款银行或支付机构", "Payee's bank or payment service"),
    "act.stop.amount": ("金额（元，可写 3万）", "Amount (yuan)"),
    "act.stop.paid": ("钱转出了吗", "Has it been paid?"),
    "act.stop.paid.yes": ("已转出", "Paid"),
    "act.stop.paid.no": ("尚未转出", "Not paid yet"),
    "act.stop.time": ("转出时间（如 1405 即 14:05）", "Paid at (1405 is 14:05)"),
    "act.stop.victim": ("本人账号", "The person's own account"),
    "act.stop.note": (
        "收款账号只发给反诈中心，此外只保留末四位。",
        "Only the centre gets the payee's whole number. Otherwise only the last four digits are kept.",
    ),
    "done.stop-payment": ("止付申请已发出。", "The request to stop the payment has been sent."),
    "done.payment-step": ("进展已记录。", "The progress is recorded."),
    "wrong.payee": (
        "请完整填写收款账号：至少 8 位字母或数字。",
        "write the payee's whole account number: at least 8 letters or digits.",
    ),
    "wrong.victim": (
        "请完整填写本人账号：至少 8 位字母或数字。",
        "write the person's own whole account number: at least 8 letters or digits.",
    ),
    "wrong.number": (
        "请完整填写账号：至少 8 位字母或数字。",
        "write the whole account number: at least 8 letters or digits.",
    ),
    "wrong.same-account": (
        "两个账号相同；请填写钱转入的账号。",
        "both accounts are the same. Write the payee's.",
    ),
    "wrong.bank": ("请填写银行名称，不要写账号。", "write the bank's name, without an account number."),
    "wrong.amount": ("请填写金额：大于 0，最多两位小数。", "write the amount: more than 0, with at most two decimals."),
    "wrong.received": (
        "请填写该账户收到的金额：大于 0，最多两位小数。",
        "write the amount that the account received: more than 0, with at most two decimals.",
    ),
    "wrong.frozen": (
        "请填写冻结金额：0 或以上，最多两位小数。",
        "write the frozen amount: 0 or more, with at most two decimals.",
    ),
    "wrong.reason": (
        "请填写止付失败的原因，不要写完整账号。",
        "write why it was not stopped, without an account number.",
    ),
    "wrong.paid": ("请选择钱是否已转出。", "choose whether the money has been paid."),
    "wrong.time": ("请填写转出时间，如 1405 或 14:05。", "write when it was paid, for example 1405 or 14:05."),
    "wrong.time.future": ("转出时间还没有到；请检查时间。", "that time is in the future. Check when it was paid."),
    "wrong.step": ("请选择该账户的进展。", "choose the progress on this account."),
    "wrong.frozen.received": (
        "该账户只收到 {most} 元，冻结金额不能更多。",
        "this account received only ¥{most}, so no more can be frozen on it.",
    ),
    "wrong.frozen.loss": (
        "被骗 {loss} 元，扣除其他账户已冻结的，这里最多 {most} 元。",
        "the loss was ¥{loss}. After the sums frozen on other accounts, at most ¥{most} can be frozen here.",
    ),
    "wrong.received.loss": (
        "这笔钱共 {loss} 元，一个账户不能收到更多。",
        "the payment was ¥{loss}, so no account can have received more.",
    ),
    "wrong.traced": (
        "该账户已在资金流向中，或是本人自己的账户；请核对账号。",
        "this account is already on the money's way, or is the person's own. Check the number.",
    ),
    "wrong.payment": ("账号或金额对不上，请核对。", "accounts or amounts do not match. Check them."),
    # Payments of a case.
    "pay": ("止付", "Payments"),
    "pay.hint": (
        "点一个账户，登记银行的答复或钱的去向。",
        "Press an account to record its bank's answer, or where the money went.",
    ),
    "pay.title": ("{amount} 元 → {payee}（{bank}）", "¥{amount} to {payee} ({bank})"),
    "pay.asked": ("转出 {n} 分钟后申请止付（{at}）", "Stop requested {n} min after the payment ({at})"),
    "pay.asked.unpaid": ("转出前申请止付（{at}）", "Stop requested before the payment ({at})"),
    "pay.frozen": (
        "{frozen} 元已冻结 / {loss} 元，{cards} 个账户",
        "¥{frozen} frozen of ¥{loss}, cards: {cards}",
    ),
    "pay.frozen.time": ("转出后 {first} 分钟冻结", "Frozen {first} min after the payment"),
    "pay.frozen.times": ("转出后 {first} 至 {last} 分钟冻结", "Frozen {first} to {last} min after the payment"),
    "pay.levels": ("各级资金", "By level"),
    "pay.level": ("级别", "Level"),
    "pay.level.n": ("{n}级账户", "Level {n}"),
    "pay.cards": ("已冻结／账户", "Frozen / accounts"),
    "pay.received": ("收到（元）", "Received (¥)"),
    "pay.saved": ("冻结（元）", "Frozen (¥)"),
    "pay.accounts": ("资金流向", "The money's way"),
    "pay.got": ("收到 {amount} 元", "received ¥{amount}"),
    "pay.requested": ("已申请，待银行答复", "Requested"),
    "pay.accepted": ("银行已受理", "Accepted by the bank"),
    "pay.frozen.amount": ("已冻结 {amount} 元", "¥{amount} frozen"),
    "pay.failed": ("止付失败：{reason}", "Not stopped: {reason}"),
    "pay.do.accepted": ("银行已受理", "The bank has accepted it"),
    "pay.do.frozen": ("冻结金额（元）", "Frozen (yuan)"),
    "pay.do.frozen.send": ("已冻结", "Frozen"),
    "pay.do.frozen.again": ("更正", "Correct"),
    "pay.do.failed": ("止付失败的原因", "Why it was not stopped"),
    "pay.do.failed.send": ("止付失败", "Not stopped"),
    "pay.do.requested": ("再次申请止付", "Request again"),
    "pay.do.traced": ("钱又转到……", "The money went on to…"),
    "pay.do.number": ("账号", "Account"),
    "pay.do.bank": ("银行或支付机构", "Bank or payment service"),
    "pay.do.received": ("收到金额（元）", "Received (yuan)"),
    "pay.do.traced.send": ("登记并止付", "Record it and request a stop"),
    # Lines of a case's history.
    "step.stop-payment": ("申请紧急止付：{amount} 元 → {payee}", "Stop requested: ¥{amount} to {payee}"),
    "step.payment-step": ("止付进展", "Progress on a payment"),
    "step.payment-step.accepted": ("止付 {payee}：银行已受理", "Payment to {payee}: accepted by a bank"),
    "step.payment-step.frozen": ("止付 {payee}：冻结一个账户", "Payment to {payee}: an account is frozen"),
    "step.payment-step.failed": ("止付 {payee}：一个账户止付失败", "Payment to {payee}: an account was not stopped"),
    "step.payment-step.requested": ("止付 {payee}：再次申请", "Payment to {payee}: stop requested again"),
    "step.payment-step.traced": ("止付 {payee}：追踪到下级账户", "Payment to {payee}: traced to another account"),
}
