from collections import defaultdict
from datetime import date, timedelta
from random import Random

T = date.today()
rng = Random(202)


def D(off):
    return (T + timedelta(days=off)).isoformat()


ISO = date.isoformat
MON = T - timedelta(days=T.weekday())              # Monday of this week
M1 = T.replace(day=1)                              # first of this month
NM1 = (M1 + timedelta(days=32)).replace(day=1)     # first of next month
LM1 = (M1 - timedelta(days=1)).replace(day=1)      # first of last month
YEAR = T.year
MARCH = date(YEAR if T.month >= 3 else YEAR - 1, 3, 1)


def between(rows, key, a, b):
    """a <= row[key] <= b (dates)"""
    return [r for r in rows if r[key] and ISO(a) <= r[key] <= ISO(b)]


def this_month(rows, key):
    return between(rows, key, M1, NM1 - timedelta(days=1))


def last_month(rows, key):
    return between(rows, key, LM1, M1 - timedelta(days=1))


def last_week(rows, key):
    return between(rows, key, MON - timedelta(days=7), MON - timedelta(days=1))


def dd(alts):
    out = []
    for a in alts:
        if a and a not in out:
            out.append(a)
    return out


def lst(rows, *keys):
    """one alternative per identifying field"""
    return dd([[[r[k]] for r in rows] for k in keys])


def who(rows, name, *other):
    """people: distinct names, or one name a row, or another identifier a row"""
    distinct = [[n] for n in dict.fromkeys(r[name] for r in rows)]
    return dd([distinct, [[r[name]] for r in rows]] + [[[r[k]] for r in rows] for k in other])


def num(*vals):
    return dd([[[v]] for v in vals])


def tot(rows, key):
    s = sum(r[key] for r in rows if r[key] is not None)
    return round(s, 2)


def avg(rows, key):
    v = [r[key] for r in rows if r[key] is not None]
    return sum(v) / len(v)


def groups(rows, key):
    g = defaultdict(list)
    for r in rows:
        g[key(r) if callable(key) else r[key]].append(r)
    return g


def per(rows, key, fn):
    return [[k, fn(v)] for k, v in groups(rows, key).items()]


def best(pairs):
    p = sorted(pairs, key=lambda x: -x[1])
    assert len(p) == 1 or p[0][1] > p[1][1], ("tie", p[:3])
    return p[0][0]


def topn(rows, key, n, rev=True):
    s = sorted(rows, key=lambda r: r[key], reverse=rev)
    assert len(s) == n or s[n - 1][key] != s[n][key], ("tie", key)
    return s[:n]


# ------------------------------------------------------------------ theatre
productions = [dict(zip(
    ("title", "playwright", "genre", "director", "stage", "openingDate", "closingDate",
     "runtimeMinutes", "budget", "hasInterval", "status"), row)) for row in [
    ("The Glass Orchard", "Helena Moreau", "Drama", "Ines Carvalho", "Main House", D(-20), D(25), 135, 84000, True, "running"),
    ("Salt and Iron", "Peter Okafor", "Tragedy", "Jonas Lindqvist", "Studio", D(-9), D(18), 95, 31500, False, "running"),
    ("Two Umbrellas", "Dario Vance", "Comedy", "Jonas Lindqvist", "Cellar", D(-4), D(30), 90, 18500, False, "running"),
    ("A Fool in Verona", "Bruno Castelli", "Comedy", "Ines Carvalho", "Main House", D(32), D(70), 120, 67000, True, "rehearsing"),
    ("Midwinter Letters", "Agnes Tollen", "Drama", "Marguerite Blanc", "Studio", D(26), D(58), 80, 22000, False, "rehearsing"),
    ("The Clockmaker's Daughter", "Helena Moreau", "Musical", "Ravi Menon", "Main House", D(85), None, 150, 142500, True, "planned"),
    ("Paper Foxes", "Lucia Brandt", "Family", "Ines Carvalho", "Cellar", D(100), None, 60, 15800, False, "planned"),
    ("Harbour Lights", "Peter Okafor", "Musical", "Ravi Menon", "Main House", D(-110), D(-45), 145, 128000, True, "closed"),
    ("The Quiet Witness", "Agnes Tollen", "Thriller", "Marguerite Blanc", "Studio", D(-75), D(-30), 105, 39000, True, "closed"),
    ("Uncle Basil's Will", "Dario Vance", "Comedy", "Ravi Menon", "Main House", D(-200), D(-150), 110, 52000, True, "closed"),
    ("The Ninth Bell", "Lucia Brandt", "Thriller", "Marguerite Blanc", "Studio", D(-60), D(-20), 100, 36500, True, "cancelled"),
]]

crew = [dict(zip(
    ("fullName", "jobTitle", "department", "hiredOn", "hourlyRate", "weeklyHours",
     "isFreelance", "currentProduction", "phone"), row)) for row in [
    ("Tomas Rehn", "Lighting Designer", "Lighting", "2014-09-01", 34.5, 38, False, "The Glass Orchard", "020 7946 0112"),
    ("Bea Holloway", "Electrician", "Lighting", "2019-02-18", 23.0, 40, False, "Two Umbrellas", "020 7946 0135"),
    ("Kofi Mensah", "Followspot Operator", "Lighting", "2022-10-03", 17.5, 24, True, "The Glass Orchard", None),
    ("Lotte Brink", "Sound Designer", "Sound", "2017-05-15", 33.0, 36, False, "Salt and Iron", "020 7946 0150"),
    ("Andrei Popa", "Sound Engineer", "Sound", "2021-01-11", 25.5, 30, True, "The Glass Orchard", "020 7946 0177"),
    ("Yara Haddad", "Composer", "Sound", "2023-03-20", 41.0, 15, True, "Midwinter Letters", None),
    ("Martin Sauer", "Mic Technician", "Sound", "2020-08-24", 19.5, 32, False, None, "020 7946 0181"),
    ("Philippa Crane", "Costume Designer", "Wardrobe", "2012-04-02", 35.0, 38, False, "A Fool in Verona", "020 7946 0190"),
    ("Noor Jansen", "Seamstress", "Wardrobe", "2018-11-12", 18.0, 35, False, "A Fool in Verona", "020 7946 0194"),
    ("Gil Tavares", "Dresser", "Wardrobe", "2024-01-08", 15.5, 20, True, None, "020 7946 0203"),
    ("Edith Marlowe", "Stage Manager", "Stage", "2010-06-21", 36.5, 42, False, "The Glass Orchard", "020 7946 0211"),
    ("Samir Qureshi", "Deputy Stage Manager", "Stage", "2021-09-06", 26.0, 40, False, "Salt and Iron", "020 7946 0218"),
    ("Wendy Ashdown", "Carpenter", "Stage", "2016-03-14", 24.0, 40, False, "Two Umbrellas", None),
    ("Ruben Alder", "Fly Operator", "Stage", "2023-07-31", 20.0, 28, True, "Midwinter Letters", "020 7946 0226"),
    ("Celia Frost", "Props Maker", "Stage", "2019-10-07", 22.5, 37, False, None, "020 7946 0230"),
]]

_customers = ["Nadia Petrov", "George Whitfield", "Amara Nwosu", "Luca Ferri", "Sophie Tremblay", "Hugh Pemberton",
              "Mei Tanaka", "Oskar Dahl", "Patricia Lowe", "Imran Sheikh", "Clara Vogel", "Dennis Archer",
              "Fatima Zahra", "Elliot Marsh", "Ruth Goldberg", "Viktor Hruby", "Joan Castle", "Theo Lambert"]
_member = {c: rng.random() < 0.45 for c in _customers}
_price = {"Stalls": 38.5, "Circle": 29.0, "Balcony": 18.5, "Box": 55.0}
_bookable = [p for p in productions if p["status"] in ("running", "rehearsing", "closed")]
_weights = {"The Glass Orchard": 15, "Salt and Iron": 10, "Two Umbrellas": 9, "A Fool in Verona": 6,
            "Midwinter Letters": 5, "Harbour Lights": 8, "The Quiet Witness": 5, "Uncle Basil's Will": 4}
_lw = (MON - timedelta(days=7) - T).days           # offset of last week's Monday
# a few fixed booking days so that "today", "last week" always hold something
_fixed = {3: 0, 9: 0, 14: _lw + 1, 21: _lw + 2, 27: _lw + 4, 33: _lw + 5, 40: 0, 45: _lw + 6}
bookings = []
for i in range(58):
    cust = rng.choice(_customers)
    p = rng.choices(_bookable, [_weights[b["title"]] for b in _bookable])[0]
    a = (date.fromisoformat(p["openingDate"]) - T).days
    b = (date.fromisoformat(p["closingDate"]) - T).days
    show = rng.randint(a, b)
    booked = min(show, 0) - rng.randint(0, 45)
    if i in _fixed:
        booked = _fixed[i]
        p = _bookable[i % 5]
        a = (date.fromisoformat(p["openingDate"]) - T).days
        b = (date.fromisoformat(p["closingDate"]) - T).days
        show = rng.randint(max(a, 1), b)
    sec = rng.choices(list(_price), [5, 4, 4, 2])[0]
    seats = rng.choices([1, 2, 3, 4, 5, 6, 8], [2, 9, 3, 6, 2, 2, 1])[0]
    promo = rng.choices([None, "EARLYBIRD", "STUDENT10", "AUTUMN5"], [12, 3, 2, 2])[0]
    price = _price[sec] * seats * (0.9 if _member[cust] else 1.0) * (0.95 if promo else 1.0)
    if show < 0:
        st = rng.choices(["paid", "refunded"], [8, 1])[0]
    else:
        st = rng.choices(["paid", "pending", "cancelled", "refunded"], [10, 5, 2, 1])[0]
    bookings.append({"bookingNumber": 5101 + i, "customerName": cust, "playTitle": p["title"], "showDate": D(show),
                     "bookedOn": D(booked), "seats": seats, "section": sec, "totalPrice": round(price, 2),
                     "paymentStatus": st, "isMember": _member[cust], "promoCode": promo})
bookings[30].update(seats=14, section="Circle", totalPrice=round(29.0 * 14 * (0.9 if bookings[30]["isMember"] else 1), 2),
                    promoCode=None, paymentStatus="paid")

PR = {p["title"]: p for p in productions}
good = [b for b in bookings if b["paymentStatus"] not in ("cancelled", "refunded")]
paid = [b for b in bookings if b["paymentStatus"] == "paid"]


def alt3(f):
    """all bookings / without cancelled+refunded / paid only"""
    return dd([f(bookings), f(good), f(paid)])


def prod(**kw):
    return [p for p in productions if all(p[k] == v for k, v in kw.items())]


def plays(rows):
    return lst(rows, "title")


_go = lambda rows: [b for b in rows if b["playTitle"] == "The Glass Orchard"]
_next14 = between(bookings, "showDate", T, T + timedelta(days=14))
_ines = {p["title"] for p in prod(director="Ines Carvalho")}
_main = {p["title"] for p in prod(stage="Main House")}
_comedy = {p["title"] for p in prod(genre="Comedy")}
_noBook = [p for p in productions if p["title"] not in {b["playTitle"] for b in bookings}]
_petrov = [b for b in bookings if b["customerName"] == "Clara Vogel"]
_mem = [b for b in bookings if b["isMember"]]
_non = [b for b in bookings if not b["isMember"]]

THEATRE_Q = [
    ("which plays are running right now?", plays(prod(status="running"))),
    ("how many tickets have we sold for The Glass Orchard",
     alt3(lambda r: [[tot(_go(r), "seats")]]) + num(len(_go(bookings)), len(_go(good)), len(_go(paid)))),
    ("bookings still waiting for payment",
     lst([b for b in bookings if b["paymentStatus"] == "pending"], "bookingNumber", "customerName")),
    ("How much did we take in bookings made this month?",
     alt3(lambda r: [[tot(this_month(r, "bookedOn"), "totalPrice")]])),
    ("top 3 most expensive productions", plays(topn(productions, "budget", 3))),
    ("what's our longest play", plays(topn(productions, "runtimeMinutes", 1))),
    ("who's directing Salt and Iron?", [[["Jonas Lindqvist"]]]),
    ("average value of a booking", alt3(lambda r: [[avg(r, "totalPrice")]])),
    ("shows with no interval", plays(prod(hasInterval=False))),
    ("freelancers in the sound team",
     lst([c for c in crew if c["isFreelance"] and c["department"] == "Sound"], "fullName")),
    ("who gets more than 30 an hour?", lst([c for c in crew if c["hourlyRate"] > 30], "fullName")),
    ("crew who aren't on any show at the moment", lst([c for c in crew if c["currentProduction"] is None], "fullName")),
    ("how many bookings for each section of the house", alt3(lambda r: per(r, "section", len))),
    ("ticket sales per play in money", alt3(lambda r: per(r, "playTitle", lambda v: tot(v, "totalPrice")))),
    ("Which customer has spent the most with us?",
     dd([[[best(per(r, "customerName", lambda v: tot(v, "totalPrice")))]] for r in (bookings, good, paid)])),
    ("bookings worth over 200", lst([b for b in bookings if b["totalPrice"] > 200], "bookingNumber", "customerName")),
    ("list the comedies please", plays(prod(genre="Comedy"))),
    ("what opens in the next 60 days", plays(between(productions, "openingDate", T, T + timedelta(days=60)))),
    ("who booked last week?", who(last_week(bookings, "bookedOn"), "customerName", "bookingNumber")),
    ("how many people used a promo code",
     num(len([b for b in bookings if b["promoCode"]]), len({b["customerName"] for b in bookings if b["promoCode"]}),
         len([b for b in good if b["promoCode"]]))),
    ("technicians and other staff hired before 2018", lst([c for c in crew if c["hiredOn"] < "2018-01-01"], "fullName")),
    ("when does Midwinter Letters close", [[[PR["Midwinter Letters"]["closingDate"]]]]),
    ("how many seats have gone for plays directed by Ines Carvalho",
     alt3(lambda r: [[tot([b for b in r if b["playTitle"] in _ines], "seats")]])),
    ("who in the crew is working on a comedy?", lst([c for c in crew if c["currentProduction"] in _comedy], "fullName")),
    ("ticket revenue by genre", alt3(lambda r: per(r, lambda b: PR[b["playTitle"]]["genre"], lambda v: tot(v, "totalPrice")))),
    ("plays nobody has booked for", plays(_noBook)),
    ("um can you tell me which crew are on the shows in the main house",
     lst([c for c in crew if c["currentProduction"] in _main], "fullName")),
    ("what do members spend on average compared to non members",
     [[[avg([b for b in r if b["isMember"]], "totalPrice")], [avg([b for b in r if not b["isMember"]], "totalPrice")]]
      for r in (bookings, good, paid)]),
    ("who plays the lead in The Glass Orchard?", "none"),
    ("which shows can you get into with a wheelchair", "none"),
    ("how much did the bar make last month", "none"),
    ("email address of Luca Ferri", "none"),
    ("show me all the bokings by Clara Vogel", lst(_petrov, "bookingNumber", "showDate", "playTitle")),
    ("how many bookings for performances in the next 14 days",
     num(len(_next14), len([b for b in _next14 if b in good]), len([b for b in _next14 if b in paid]))),
    ("hourly rate of Edith Marlowe", [[[36.5]]]),
]

# ------------------------------------------------------------------ property insurance
adjusters = [dict(zip(
    ("full_name", "specialty", "office", "joined_on", "licence_expires", "hourly_fee",
     "is_external", "supervisor", "mobile"), row)) for row in [
    ("Greta Nyholm", "fire", "Bristol", "2009-03-16", D(410), 72.0, False, None, "07700 900112"),
    ("Owen Pryce", "water", "Cardiff", "2015-08-03", D(52), 58.0, False, "Greta Nyholm", "07700 900145"),
    ("Sunita Rao", "theft", "Bristol", "2018-01-22", D(230), 55.0, False, "Greta Nyholm", None),
    ("Malcolm Dyer", "storm", "Exeter", "2012-11-05", D(75), 61.5, True, "Helen Strand", "07700 900163"),
    ("Helen Strand", "general", "Exeter", "2011-05-09", D(640), 69.0, False, None, "07700 900170"),
    ("Pavel Novak", "fire", "Bath", "2021-06-14", D(18), 49.0, True, "Greta Nyholm", None),
    ("Cerys Bowen", "general", "Cardiff", "2022-09-26", D(505), 44.5, False, "Helen Strand", "07700 900188"),
    ("Leo Fairbank", "water", "Exeter", "2023-02-06", D(300), 42.0, True, "Helen Strand", "07700 900191"),
]]

_first = ["Harold", "Miriam", "Desmond", "Alice", "Yusuf", "Beatrice", "Colin", "Rosa", "Stanley", "Priya",
          "Norman", "Ffion", "Gareth", "Ingrid", "Walter", "Zoe", "Arthur", "Lena", "Hamish", "Olive"]
_last = ["Finch", "Barlow", "Achebe", "Thornton", "Kaya", "Delaney", "Osgood", "Marchetti", "Webb", "Nair",
         "Stokes", "Llewellyn", "Price", "Halvorsen", "Crowe", "Bianchi", "Penrose", "Schmidt", "Muir", "Hatch"]
_ptypes = {"house": (180, 620), "apartment": (110, 340), "shop": (150, 480), "warehouse": (400, 1500), "farm": (350, 1200)}
policies = []
for i in range(42):
    holder = f"{_first[i % 20]} {_last[(i * 3 + i // 20) % 20]}"
    pt = rng.choices(list(_ptypes), [12, 9, 6, 5, 4])[0]
    lo, hi = _ptypes[pt]
    insured = rng.randint(lo, hi) * 1000 + rng.choice([0, 500])
    st = rng.choices(["active", "lapsed", "cancelled", "pending"], [13, 2, 2, 1])[0]
    age = rng.randint(0, 11)
    into = rng.randint(3, 355)
    if st == "pending":
        start, renew = into % 25 + 3, into % 25 + 3 + 365
    elif st == "active":
        renew = into
        start = renew - 365 * (age + 1)
    else:
        renew = -into
        start = renew - 365 * (age + 1)
    if i in (5, 17, 29):
        st, renew = "active", (i % 12) * 2 + 4
        start = renew - 365 * (age + 1)
    policies.append({"policy_no": f"HP-{2001 + i}", "holder_name": holder, "property_type": pt,
                     "city": rng.choices(["Bristol", "Cardiff", "Exeter", "Bath", "Gloucester"], [9, 7, 6, 4, 3])[0],
                     "start_date": D(start), "renewal_date": D(renew),
                     "annual_premium": round(insured * rng.uniform(0.0011, 0.0026), 2), "insured_value": insured,
                     "status": st, "flood_cover": rng.random() < 0.4,
                     "broker": rng.choice([None, "Severn Brokers", "Severn Brokers", "Quayside Cover", "Tamsin Hale Ltd"])})

POL = {p["policy_no"]: p for p in policies}
_can = [p["policy_no"] for p in policies if p["status"] != "pending"]
_with = rng.sample(_can, len(_can) - 9)            # the rest never claimed
_fix2 = {2: 0, 8: 0, 13: _lw + 1, 19: _lw + 3, 26: _lw + 4, 38: _lw + 2}
_aw = [6, 10, 7, 5, 5, 4, 8, 4]
claims = []
for i in range(54):
    pol = rng.choice(_with)
    cause = rng.choices(["water damage", "fire", "storm", "theft", "vandalism"], [9, 5, 6, 6, 3])[0]
    rep = -int(rng.triangular(0, 560, 60))
    if i in _fix2:
        rep = _fix2[i]
    inc = rep - rng.randint(0, 12)
    lo, hi = {"water damage": (900, 26000), "fire": (4000, 90000), "storm": (700, 19000),
              "theft": (400, 12000), "vandalism": (250, 5000)}[cause]
    amt = round(rng.uniform(lo, hi), 2)
    if rep > -20:
        st = rng.choice(["open", "open", "in review"])
    elif rep > -120:
        st = rng.choices(["open", "in review", "approved", "rejected", "paid"], [3, 3, 3, 2, 3])[0]
    else:
        st = rng.choices(["open", "in review", "approved", "rejected", "paid"], [1, 1, 1, 3, 9])[0]
    payout = round(amt * rng.choice([1.0, 0.9, 0.8, 0.65]), 2) if st == "paid" else None
    claims.append({"claim_no": f"C-{1001 + i}", "policy_no": pol, "cause": cause, "incident_date": D(inc),
                   "reported_on": D(rep), "amount_claimed": amt, "amount_paid": payout, "status": st,
                   "adjuster": rng.choices([a["full_name"] for a in adjusters], _aw)[0],
                   "police_report": rng.random() < (0.7 if cause in ("theft", "vandalism") else 0.1)})


def C(f):
    return [c for c in claims if f(c)]


def P(f):
    return [p for p in policies if f(p)]


_active = P(lambda p: p["status"] == "active")
_undecided = ("open", "in review")
_notdone = ("open", "in review", "approved")
_ext = {a["full_name"] for a in adjusters if a["is_external"]}
_exe = {a["full_name"] for a in adjusters if a["office"] == "Exeter"}
_claimers = [p for p in policies if p["policy_no"] in {c["policy_no"] for c in claims}]
_neverclaimed = [p for p in policies if p not in _claimers]
# one policyholder with several claims
_cnt = per(claims, "policy_no", len)
_star = POL[sorted(_cnt, key=lambda x: (-x[1], x[0]))[0][0]]
_starc = C(lambda c: c["policy_no"] == _star["policy_no"])
_settled = C(lambda c: c["status"] == "paid")
_c14 = claims[13]
_flood1 = P(lambda p: p["flood_cover"] and p["status"] == "active")[3]
_d90 = ISO(T - timedelta(days=90))
_expl = between(adjusters, "licence_expires", T, T + timedelta(days=90))

INSURANCE_Q = [
    ("how many claims are open at the moment",
     num(len(C(lambda c: c["status"] == "open")), len(C(lambda c: c["status"] in _undecided)),
         len(C(lambda c: c["status"] in _notdone)))),
    ("policies up for renewal in the next 30 days",
     lst(between(_active, "renewal_date", T, T + timedelta(days=30)), "policy_no", "holder_name")),
    ("What do our active policies bring in a year in premiums?", num(tot(_active, "annual_premium"))),
    ("claims reported this month", lst(this_month(claims, "reported_on"), "claim_no")),
    ("what's the biggest claim we've had", lst(topn(claims, "amount_claimed", 1), "claim_no", "amount_claimed")),
    ("which adjuster has the most claims on their desk",
     dd([[[best(per(claims, "adjuster", len))]]]
        + [[[best(g)]] for g in [per(C(lambda c: c["status"] in s), "adjuster", len) for s in (("open",), _undecided, _notdone)]
           if sorted(x[1] for x in g)[-1] > sorted(x[1] for x in g)[-2]])),
    ("number of claims by cause", [per(claims, "cause", len)]),
    ("average payout", num(avg(claims, "amount_paid"))),
    ("houses with flood cover",
     dd([a for src in (policies, _active) for a in
         lst([p for p in src if p["property_type"] == "house" and p["flood_cover"]], "policy_no", "holder_name")])),
    ("which policies came to us without a broker?", lst(P(lambda p: p["broker"] is None), "policy_no", "holder_name")),
    ("water damage claims above 10,000", lst(C(lambda c: c["cause"] == "water damage" and c["amount_claimed"] > 10000), "claim_no")),
    ("who holds policy HP-2007", [[[POL["HP-2007"]["holder_name"]]]]),
    ("when did Greta Nyholm start here", [[["2009-03-16"]]]),
    ("the external adjusters", lst([a for a in adjusters if a["is_external"]], "full_name")),
    ("how much have we paid out for storms", num(tot(C(lambda c: c["cause"] == "storm"), "amount_paid"))),
    ("total insured value per city",
     dd([per(policies, "city", lambda v: tot(v, "insured_value")), per(_active, "city", lambda v: tot(v, "insured_value"))])),
    ("the three policies with the highest premium",
     dd(lst(topn(policies, "annual_premium", 3), "policy_no", "holder_name")
        + lst(topn(_active, "annual_premium", 3), "policy_no", "holder_name"))),
    ("claims on properties in Exeter", lst(C(lambda c: POL[c["policy_no"]]["city"] == "Exeter"), "claim_no")),
    ("How much money has been claimed for warehouses so far?",
     num(tot(C(lambda c: POL[c["policy_no"]]["property_type"] == "warehouse"), "amount_claimed"))),
    ("customers who have never made a claim", lst(_neverclaimed, "holder_name", "policy_no")),
    ("how many claims are being handled by external adjusters",
     num(len(C(lambda c: c["adjuster"] in _ext)), len(C(lambda c: c["adjuster"] in _ext and c["status"] in _undecided)),
         len(C(lambda c: c["adjuster"] in _ext and c["status"] == "open")),
         len(C(lambda c: c["adjuster"] in _ext and c["status"] in _notdone)))),
    ("what has %s claimed for" % _star["holder_name"], lst(_starc, "claim_no", "cause", "amount_claimed")),
    ("average claim by type of property",
     [per(claims, lambda c: POL[c["policy_no"]]["property_type"], lambda v: avg(v, "amount_claimed"))]),
    ("policies that started before 2020", lst(P(lambda p: p["start_date"] < "2020-01-01"), "policy_no", "holder_name")),
    ("how many claims have we rejected since March",
     num(*[len(C(lambda c: c["status"] == "rejected" and c[k] >= ISO(MARCH))) for k in ("reported_on", "incident_date")])),
    ("thefts where there's no police report", lst(C(lambda c: c["cause"] == "theft" and not c["police_report"]), "claim_no")),
    ("adjusters whose license runs out in the next 3 months",
     dd(lst(_expl, "full_name"))),
    ("which claims came in last week?", lst(last_week(claims, "reported_on"), "claim_no")),
    ("canceled polices, who were they",
     lst(P(lambda p: p["status"] == "cancelled"), "holder_name", "policy_no")),
    ("how many policies are not active", num(len(P(lambda p: p["status"] != "active")))),
    ("is %s covered for floods?" % _flood1["holder_name"], [[[True]], [["yes"]], [["Yes"]]]),
    ("what is the excess on policy HP-2012", "none"),
    ("which houses have a burglar alarm", "none"),
    ("how old is %s" % policies[10]["holder_name"], "none"),
    ("any claims that ended up in court?", "none"),
]

SETS = [
    ("theatre", {"productions": productions, "bookings": bookings, "crew": crew}, THEATRE_Q),
    ("property insurance office", {"policies": policies, "claims": claims, "adjusters": adjusters}, INSURANCE_Q),
]

if __name__ == "__main__":
    import json
    for name, colls, qs in SETS:
        print("=====", name, {k: (len(v), len(v[0])) for k, v in colls.items()}, len(qs))
        for k, v in colls.items():
            print(k, v[0])
        for q, g in qs:
            print("-", q)
            if g == "none":
                print("     none")
                continue
            if not (g and all(a and all(isinstance(r, list) and r for r in a) for a in g)):
                print("!!!!! EMPTY")
            for a in g:
                if not all(x is not None and x != 0 for r in a for x in r):
                    print("!!!!! ZERO")
                print("    ", len(a), json.dumps(a))
