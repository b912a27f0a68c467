import pytest
from hypothesis import given
from hypothesis import strategies as st

from unransom.examine.triage.notes import read_note

ONION = "abcdefghijklmnopqrstuvwxyz234567abcdefghijklmnopqrstuvwx.onion"
ENGLISH = f"""~~~ Your network has been penetrated ~~~
All your important files have been encrypted! There is no way to restore them without our decryptor.
Write to support@example.org or visit http://{ONION}/chat with Tor browser.
Your personal ID: A1B2C3D4E5F6
Do not rename encrypted files. Send 0.5 BTC to bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq within 72 hours.
"""
CHINESE = (
    "您的文件已被加密！如需恢复数据，请联系 help@example.org 支付比特币。请勿修改文件名。您的ID: 8F7A6B5C4D"
)
RUSSIAN = (
    "Все ваши файлы были зашифрованы! Для расшифровки напишите на почту help@example.org. "
    "Ваш личный ID: 12345-abc"
)
HTML = (
    "<html><head><style>p {}</style></head><body><p>" + ENGLISH.replace("your", "your</p><p>") + "</p></body>"
)
RTF = (
    r"{\rtf1\ansi {\b All your files have been encrypted!}"
    r"\par Decrypt them: write to help@example.org, pay BTC}"
)


def test_an_english_note_is_read():
    note = read_note(ENGLISH.encode(), called_like_one=True)
    assert note
    assert note.facts == {
        "onion": f"http://{ONION}/chat",
        "contact": "support@example.org",
        "wallet": "bc1qar0srrr7xfkvy5l643lydnw9re59gtzzwf5mdq",
        "victim": "A1B2C3D4E5F6",
    }


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        (ENGLISH, "utf-16"),
        (ENGLISH, "utf-16-le"),
        (CHINESE, "utf-8"),
        (CHINESE, "gb18030"),
        (RUSSIAN, "utf-8"),
        (RUSSIAN, "cp1251"),
        (HTML, "utf-8"),
        (RTF, "ascii"),
    ],
)
def test_notes_in_other_languages_encodings_and_markups(text, encoding):
    note = read_note(text.encode(encoding), called_like_one=False)
    assert note
    assert "@example.org" in note.facts["contact"]


@pytest.mark.parametrize(
    "text",
    [
        "GnuPG: files encrypted with gpg can be decrypted again. Contact: bugs@example.org",
        "Your files are encrypted at rest. See the privacy policy.",
        "Ransomware encrypts files and asks for Bitcoin; restore from a backup.",
        "All files are encrypted with the key; decrypt with gpg. Contact bugs@example.org. Pay. Restore.",
        "Please contact us at sales@example.org to restore your password within 24 hours.",
        "",
    ],
)
def test_texts_about_encryption_are_no_notes(text):
    assert read_note(text.encode(), called_like_one=False) is None


@given(st.binary(max_size=4096), st.booleans())
def test_any_bytes_can_be_looked_at(data, called):
    read_note(b"your files are encrypted " + data, called)


@pytest.mark.timeout(60)
@pytest.mark.parametrize("filler", ["files ", "<", "your id ", "{\\", "a@", "1", "\\u1", "<style>"])
def test_hostile_texts_take_no_long_time(filler):
    text = "your files are encrypted a@b.cc decrypt " + filler * (200_000 // len(filler))
    read_note(text.encode(), called_like_one=True)
