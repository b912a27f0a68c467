"""What PayPal's reports have in common: event codes, words of several languages, currencies without cents."""

from __future__ import annotations

from unransom.core.orders import MoveKind, MoveState

# PayPal's own list, which is not ISO 4217's: it takes no decimals in these.
WHOLE = frozenset({"JPY", "HUF", "TWD"})
_GROUPS = {
    "00": MoveKind.PAYMENT,
    "01": MoveKind.FEE,
    "02": MoveKind.CONVERSION,
    **dict.fromkeys(("03", "04", "05", "06", "07", "20", "22"), MoveKind.TRANSFER),
    "11": MoveKind.REFUND,
    "12": MoveKind.REFUND,
    **dict.fromkeys(("15", "17", "21"), MoveKind.HOLD),
}
_EVENTS = {
    "T1108": MoveKind.FEE,
    "T1109": MoveKind.FEE,
    "T1110": MoveKind.HOLD,
    "T1111": MoveKind.HOLD,
    "T1203": MoveKind.FEE,
    "T1205": MoveKind.FEE,
}
_WORDS: tuple[tuple[str, tuple[str, ...]], ...] = (
    (
        MoveKind.CONVERSION,
        (
            *("currency conversion", "währungsumrechnung", "conversion de devise", "divisa"),
            *("conversione di valuta", "conversão de moeda", "通貨換算", "通貨両替", "货币兑换", "币种兑换"),
            *(
                "貨幣兌換",
                "货币转换",
                "przeliczenie waluty",
                "przewalutowanie",
                "valutaomrekening",
                "valutakonvert",
            ),
            *("valutaomvandling", "valutaväxling", "valutaomregning", "valutaveksling", "valuutanmuun"),
            *("převod měny", "prevod meny", "pénznemváltás", "pénznemátváltás", "конвертация", "обмен валют"),
            *("μετατροπή νομίσματος", "para birimi dönüş", "döviz çevir", "환전", "통화 변환", "แปลงสกุลเงิน"),
            *("konversi mata uang", "המרת מטבע", "تحويل العملات", "تحويل العملة"),
        ),
    ),
    (
        MoveKind.HOLD,
        (
            *("hold", "einbehalt", "release", "freigabe", "réserve", "retención", "trattenuta", "retenção"),
            *(
                "authori",
                "autori",
                "冻结",
                "凍結",
                "保留",
                "承認",
                "授权",
                "授權",
                "auktorisering",
                "generel godkendelse",
                "autoryzacja",
            ),
            *(
                "wstrzyman",
                "blokad",
                "zwolnienie",
                "inhouding",
                "reservering",
                "vrijgave",
                "spärr",
                "reservation",
            ),
            *(
                "tilbageholdelse",
                "frigivelse",
                "frigivning",
                "tilbakehold",
                "valtuutus",
                "katevaraus",
                "zadržen",
            ),
            *(
                "zadrža",
                "uvolnění",
                "uvoľnen",
                "engedélyezés",
                "visszatartás",
                "удержан",
                "заморажив",
                "авторизац",
            ),
            *(
                "δέσμευση",
                "εξουσιοδότηση",
                "bekletme",
                "provizyon",
                "보류",
                "일반 승인",
                "ระงับ",
                "การอนุมัติทั่วไป",
                "penahanan",
            ),
            *("otorisasi", "החזקה", "אישור כללי", "חסימה", "تعليق", "تفويض"),
        ),
    ),
    (
        MoveKind.REFUND,
        (
            *("refund", "reversal", "chargeback", "dispute", "rückzahlung", "rückbuchung", "erstattung"),
            *("remboursement", "reembolso", "devolución", "rimborso", "contracargo", "estorno", "devolução"),
            *(
                "terugbetaling",
                "返金",
                "取消し",
                "退款",
                "撤销",
                "撤銷",
                "zwrot",
                "cofnięcie",
                "obciążenie zwrotne",
            ),
            *("terugboeking", "återbetal", "återför", "tilbagebetal", "refusjon", "refunder", "tilbakebetal"),
            *(
                "tilbageført",
                "tilbakeført",
                "palautus",
                "hyvitys",
                "peruutus",
                "vrácení",
                "refundace",
                "storno",
            ),
            *("vrátenie", "visszatérítés", "sztornó", "возврат", "возмещение", "отмена платежа", "επιστροφή"),
            *("αντιλογισμός", "iade", "geri ödeme", "환불", "취소", "คืนเงิน", "ยกเลิก", "pengembalian", "החזר"),
            *("ביטול", "استرداد", "رد الأموال", "عكس"),
        ),
    ),
    (
        MoveKind.TRANSFER,
        (
            *("withdraw", "transfer", "deposit", "bank", "abbuchung", "gutschrift", "virement", "retrait"),
            *("retirada", "transferencia", "bonifico", "prelievo", "saque", "引き出し", "振込"),
            *(
                "提现",
                "转账",
                "提領",
                "轉帳",
                "wypłata",
                "przelew",
                "opname",
                "overboeking",
                "uttag",
                "överföring",
            ),
            *(
                "udbetaling",
                "hævning",
                "overførsel",
                "uttak",
                "overføring",
                "nosto",
                "siirto",
                "výběr",
                "převod",
            ),
            *(
                "prevod",
                "kifizetés",
                "átutalás",
                "вывод средств",
                "перевод",
                "ανάληψη",
                "μεταφορά",
                "para çekme",
            ),
            *("havale", "인출", "이체", "ถอนเงิน", "โอนเงิน", "penarikan", "משיכה", "העברה", "سحب", "تحويل"),
        ),
    ),
    (
        MoveKind.FEE,
        (
            *(
                "fee",
                "gebühr",
                "frais",
                "commission",
                "tarifa",
                "tariffa",
                "手数料",
                "费用",
                "手續費",
                "手续费",
            ),
            *(
                "opłata",
                "prowizja",
                "kosten",
                "avgift",
                "gebyr",
                "palvelumaksu",
                "poplat",
                "díj",
                "комисси",
                "сбор",
            ),
            *("χρέωση", "προμήθεια", "ücret", "수수료", "ค่าธรรมเนียม", "biaya", "עמלה", "رسوم"),
        ),
    ),
)
_STATES = {
    MoveState.PENDING: (
        *("pending", "ausstehend", "offen", "en attente", "pendiente", "in sospeso", "pendente"),
        *("in behandeling", "保留中", "処理中", "待处理", "处理中", "待處理", "處理中", "held", "p"),
        *("oczekujące", "oczekująca", "oczekujący", "w toku", "väntande", "pågående", "afventer", "ventende"),
        *(
            "venter",
            "odottaa",
            "vireillä",
            "čeká na vyřízení",
            "nevyřízeno",
            "čaká na vybavenie",
            "nevybavené",
        ),
        *(
            "függőben",
            "в ожидании",
            "ожидается",
            "обрабатывается",
            "σε εκκρεμότητα",
            "beklemede",
            "대기",
            "보류 중",
        ),
        *("대기 중", "보류", "รอดำเนินการ", "อยู่ระหว่างดำเนินการ", "tertunda", "menunggu", "ממתין", "בהמתנה"),
        *("معلق", "معلّق", "قيد الانتظار"),
    ),
    MoveState.DENIED: (
        *("denied", "failed", "canceled", "cancelled", "expired", "voided", "removed", "unclaimed", "d", "f"),
        *("abgelehnt", "storniert", "fehlgeschlagen", "refusé", "annulé", "rechazado", "cancelado", "negado"),
        *("rifiutato", "rifiutata", "annullato", "annullata", "geweigerd", "geannuleerd"),
        *("拒否", "キャンセル", "キャンセル済み", "失敗", "已拒绝", "已取消", "失败", "已拒絕"),
        *(
            "odrzucone",
            "odrzucona",
            "anulowane",
            "anulowana",
            "niepowodzenie",
            "wygasłe",
            "mislukt",
            "verlopen",
        ),
        *("nekad", "nekat", "avbruten", "annullerad", "misslyckades", "afvist", "annulleret", "mislykkedes"),
        *("avvist", "avslått", "kansellert", "mislyktes", "hylätty", "peruttu", "epäonnistui", "zamítnuto"),
        *(
            "zrušeno",
            "neúspěšné",
            "zamietnuté",
            "zrušené",
            "elutasítva",
            "törölve",
            "sikertelen",
            "отклонено",
        ),
        *("отменено", "ошибка", "не выполнено", "απορρίφθηκε", "ακυρώθηκε", "απέτυχε", "reddedildi"),
        *("iptal edildi", "başarısız", "거절됨", "거부됨", "취소됨", "실패", "ถูกปฏิเสธ", "ยกเลิกแล้ว", "ล้มเหลว"),
        *("ditolak", "dibatalkan", "gagal", "נדחה", "בוטל", "נכשל", "مرفوض", "ملغى", "فشل"),
    ),
}


def kind_of_event(code: str) -> str:
    """Return the kind that an event code such as ``T0006`` means."""
    return _EVENTS.get(code) or _GROUPS.get(code[1:3], MoveKind.OTHER)


def kind_of_words(words: str) -> str:
    """Return the kind that the ``Type`` or ``Description`` of a row means, in several languages."""
    words = words.casefold()
    return next((kind for kind, marks in _WORDS if any(mark in words for mark in marks)), MoveKind.PAYMENT)


def state_of(word: str) -> str:
    """Return the state that a status means; refunded and reversed payments have happened all the same."""
    word = word.casefold()
    return next((state for state, words in _STATES.items() if word in words), MoveState.DONE)


def places(currency: str) -> int:
    """Return how many decimals PayPal's minor unit of a currency has."""
    return 0 if currency in WHOLE else 2
