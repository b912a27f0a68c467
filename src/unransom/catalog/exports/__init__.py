"""How exports of sales and payment channels are read: encodings, tables, money, times, documents."""
