"""The words of ransom notes, in the languages that victims and lockers write, as regular expressions."""

from __future__ import annotations

import re

MENTION = re.compile("crypt|加密|шифр|暗号|암호|locked|cifra|chiffr|schlüssel|şifrele")

# All of these are matched against text in lower case.
CLAIM = re.compile(
    "|".join(
        (
            r"(?:files?|data(?:bases?)?|documents|network|computers?|servers?|systems?|everything|pc)\b"
            r"[^.!?]{0,90}\b(?:(?:en)?crypted|locked|cyphered|ciphered)\b",
            r"\b(?:encrypted|locked)\b[^.!?]{0,60}\b(?:your|all)\b[^.!?]{0,40}"
            r"(?:files|data|documents|servers|network)",
            r"файл[^.!?]{0,80}зашифрован|зашифрован[^.!?]{0,60}файл|данные[^.!?]{0,60}зашифрован",
            r"(?:文件|数据|資料|档案|數據|檔案|服务器)[^。！？]{0,40}(?:加密|锁定|鎖定)",
            r"加密了[^。！？]{0,20}(?:文件|数据)",
            r"(?:ファイル|データ)[^。]{0,40}暗号化|(?:파일|데이터)[^.]{0,40}암호화",
            r"dateien[^.!?]{0,80}verschlüsselt|fichiers[^.!?]{0,80}(?:chiffrés|cryptés)",
            r"(?:archivos|ficheros|arquivos)[^.!?]{0,80}(?:cifrados|encriptados|criptografados)",
            r"file[^.!?]{0,80}(?:crittografati|criptati)|dosya[^.!?]{0,80}şifrele",
        )
    )
)
_SIGNS = {
    "yours": (
        r"\b(?:your|all of your)\b.{0,60}\b(?:files|data|documents|network|company|important)",
        r"ваш[иае]?\b|您的|你的|ihre|vos |sus |seus |vostri|あなたの|귀하",
    ),
    "decryption": (
        r"decrypt(?:or|ion)?\b|decipher|entschlüssel|descifr|déchiffr",
        r"расшифр|дешифр|解密|復号|복호화",
    ),
    "recovery": (
        r"\b(?:restore|recover|return|get back|unlock)\b",
        r"восстанов|вернуть|恢复|恢復|還原|複元|복구",
    ),
    "money": (
        r"\b(?:bitcoins?|btc|monero|xmr|ransom|payment|pay\b|price|\$\s?\d)",
        r"оплат|биткоин|比特币|付款|支付|赎金",
    ),
    "tor": (r"\btor\b|torproject|\bonion\b",),
    "forbidden": (
        r"do(?: not|n'?t) (?:try|rename|modify|use|delete|edit|change|contact)",
        r"не (?:пытай|переимен|изменя)",
        r"不要(?:修改|重命名|尝试|删除)|请勿|勿",
    ),
    "promise": (
        r"third[ -]part(?:y|ies)|permanent(?:ly)?|guarante|irrevers",
        r"free (?:test|decrypt)|test (?:file|decrypt)",
        r"гаранти|безвозврат|免费解密|永久|保证",
    ),
    "identifier": (
        r"\b(?:personal|unique|victim|your|client|company)[ -](?:id|key|code|identifier)\b|decryption id",
        r"личный id|ключ|个人\s?id|密钥|私钥",
    ),
    "leak": (
        r"\b(?:leak|publish|stolen|exfiltrat|downloaded|our (?:blog|site))",
        r"опубликован|泄露|公布|公开",
    ),
    "deadline": (r"\b(?:hours|days|deadline|otherwise)\b", r"часов|суток|小时|天内"),
}
SIGNS = {sign: re.compile("|".join(patterns)) for sign, patterns in _SIGNS.items()}

# These are matched against the text as it is.
_FACTS = {
    "onion": (
        r"(?<![a-z0-9.-])(?:https?://)?(?:[a-z0-9-]{1,63}\.)?(?:[a-z2-7]{56}|[a-z2-7]{16})\.onion[^\s\"'<>)\]]{0,120}",
    ),
    "contact": (
        r"(?<![a-zA-Z0-9_.+-])[a-zA-Z0-9_.+-]{2,64}@[a-zA-Z0-9-]{1,63}(?:\.[a-zA-Z0-9-]{2,24}){1,3}",
    ),
    "messenger": (r"\b(?:[0-9A-F]{76}|05[0-9a-f]{64})\b|(?<=t\.me/)\w{4,40}",),
    "wallet": (
        r"\bbc1[a-z0-9]{25,60}\b",
        r"\b[13][a-km-zA-HJ-NP-Z1-9]{25,34}\b",
        r"\b[48][0-9AB][1-9A-HJ-NP-Za-km-z]{93}\b",
    ),
    "victim": (
        r"(?i:(?<![a-z])(?:(?:personal|unique|victim|your|client|company|decryption|login)[ _-]{0,3})"
        r"{1,3}(?:id|key|code|identifier|number)\b\W{0,12}(?:is\W{1,4})?)\s{0,6}([A-Za-z0-9+/=_-]{6,700})",
        r"(?:ID|个人ID|您的ID|код|идентификатор)\s{0,3}[:：=]\s{0,6}([A-Za-z0-9+/=_-]{6,700})",
    ),
}
FACTS = {kind: re.compile("|".join(patterns)) for kind, patterns in _FACTS.items()}
