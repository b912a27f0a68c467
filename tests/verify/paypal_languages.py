"""How PayPal's statements are written in each language."""

# Of each language: header, zone, then type and status of a payment, a refund and an authorization.
PAYPAL = {
    "en": (
        "Date,Time,TimeZone,Type,Status,Currency,Gross,Fee,Net,Balance,Transaction ID,Reference Txn ID,"
        "Invoice Number,Balance Impact",
        *("13/06/2026", "CEST", "point", "Express Checkout Payment", "Completed", "Payment Refund"),
        *("General Authorization", "Pending", "Memo"),
    ),
    "de": (
        "Datum,Uhrzeit,Zeitzone,Typ,Status,Währung,Brutto,Entgelt,Netto,Guthaben,Transaktionscode,"
        "Zugehöriger Transaktionscode,Rechnungsnummer,Auswirkung auf Guthaben",
        *("13.06.2026", "CEST", "comma", "PayPal Express-Zahlung", "Abgeschlossen", "Rückzahlung"),
        *("Allgemeine Autorisierung", "Ausstehend", "Memo"),
    ),
    "fr": (
        "Date,Heure,Fuseau horaire,Type,État,Devise,Avant commission,Commission,Net,Solde,"
        "Numéro de transaction,Numéro de la transaction de référence,Numéro de facture,Impact sur le solde",
        *("13/06/2026", "Europe/Paris", "comma", "Paiement Express Checkout", "Terminé", "Remboursement"),
        *("Autorisation générale", "En attente", "Mémo"),
    ),
    "es": (
        "Fecha,Hora,Zona horaria,Tipo,Estado,Divisa,Bruto,Comisión,Neto,Saldo,Id. de transacción,"
        "Id. de transacción de referencia,Número de factura,Efecto en el saldo",
        *("13/06/2026", "Europe/Madrid", "comma", "Pago con Pago exprés", "Completado", "Reembolso de pago"),
        *("Autorización general", "Pendiente", "Nota"),
    ),
    "it": (
        "Data,Ora,Fuso orario,Tipo,Stato,Valuta,Lordo,Tariffa,Netto,Saldo,Codice transazione,"
        "Codice transazione di riferimento,Numero fattura,Impatto sul saldo",
        *("13/06/2026", "CEST", "comma", "Pagamento Express Checkout", "Completata", "Rimborso pagamento"),
        *("Autorizzazione generica", "In sospeso", "Promemoria"),
    ),
    "pt": (
        "Data,Hora,Fuso horário,Tipo,Status,Moeda,Bruto,Tarifa,Líquido,Saldo,Código da transação,"
        "ID da transação de referência,Número da fatura,Impacto no saldo",
        *("13/06/2026", "GMT+02:00", "comma", "Pagamento do Express Checkout", "Concluído", "Estorno"),
        *("Autorização geral", "Pendente", "Memorando"),
    ),
    "ja": (
        "日付,時間,タイムゾーン,タイプ,ステータス,通貨,合計,手数料,正味,残高,取引ID,参照取引ID,請求書番号,残高への影響",
        *("2026/06/13", "GMT+2", "point", "エクスプレス チェックアウト支払い", "完了", "支払いの返金"),
        *("一般的な承認", "保留中", "メモ"),
    ),
    "zh": (
        "日期,时间,时区,类型,状态,币种,总额,费用,净额,余额,交易号,参考交易号,账单号,余额影响",
        *("2026-06-13", "UTC+02:00", "point", "快速结账付款", "已完成", "付款退款"),
        *("一般授权", "待处理", "备注"),
    ),
    "zh-TW": (
        "日期,時間,時區,類型,狀態,貨幣,總額,費用,淨額,餘額,交易號,參考交易號,帳單號,餘額影響",
        *("2026/6/13", "Europe/Berlin", "point", "快速結帳付款", "已完成", "付款退款"),
        *("一般授權", "待處理", "備註"),
    ),
    "pl": (
        "Data,Godzina,Strefa czasowa,Typ,Status,Waluta,Brutto,Opłata,Netto,Saldo,Numer transakcji,"
        "Pomocniczy numer transakcji,Numer faktury,Wpływ na saldo",
        *("13.06.2026", "CEST", "comma", "Płatność w ramach usługi Express Checkout", "Zakończona"),
        *("Zwrot płatności", "Autoryzacja ogólna", "Oczekująca", "Notatka"),
    ),
    "nl": (
        "Datum,Tijd,Tijdzone,Omschrijving,Status,Valuta,Bruto,Kosten,Net,Saldo,Transactiereferentie,"
        "Reference Txn ID,Factuurreferentie,Effect op saldo",
        *("13-6-2026", "CEST", "comma", "Express Checkout-betaling", "Voltooid", "Terugbetaling"),
        *("Algemene autorisatie", "In behandeling", "Memo"),
    ),
    "sv": (
        "Datum,Tid,Tidszon,Typ,Status,Valuta,Brutto,Avgift,Netto,Saldo,Transaktions-id,"
        "Referenstransaktions-id,Fakturanummer,Saldopåverkan",
        *("2026-06-13", "CEST", "comma", "Expressbetalning", "Slutförd", "Återbetalning"),
        *("Allmän auktorisering", "Väntande", "Notering"),
    ),
    "ru": (
        "Дата,Время,Часовой пояс,Тип,Состояние,Валюта,Брутто,Комиссия,Нетто,Баланс,Код операции,"
        "Код связанной операции,Номер счета,Влияние на баланс",
        *("13.06.2026", "GMT+02:00", "comma", "Экспресс-платеж", "Завершено", "Возврат платежа"),
        *("Общая авторизация", "В ожидании", "Примечание"),
    ),
    "ko": (
        "날짜,시간,시간대,유형,상태,통화,총액,수수료,순액,잔액,거래 ID,참조 거래 ID,청구서 번호,잔액 영향",
        *("2026-06-13", "GMT+2", "point", "빠른 결제", "완료", "결제 환불", "일반 승인", "대기", "메모"),
    ),
    "tr": (
        "Tarih,Saat,Saat Dilimi,Tür,Durum,Para Birimi,Brüt,Ücret,Net,Bakiye,İşlem Numarası,"
        "Referans İşlem Numarası,Fatura Numarası,Bakiye Etkisi",
        *("13.06.2026", "GMT+02:00", "comma", "Hızlı Ödeme", "Tamamlandı", "Ödeme iadesi"),
        *("Genel Provizyon", "Beklemede", "Not"),
    ),
}
