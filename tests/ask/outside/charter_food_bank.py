"""Test set M1: a boat charter company (camelCase) and a food bank (snake_case). Seed 111."""
import random
from datetime import date, timedelta

T = date.today()
def d(n): return (T + timedelta(days=n)).isoformat()
ISO = T.isoformat()
MONDAY = T - timedelta(days=T.weekday())
MONTH0 = T.replace(day=1)
MONTH1 = (MONTH0 + timedelta(days=32)).replace(day=1)          # first of next month
LMONTH0 = (MONTH0 - timedelta(days=1)).replace(day=1)          # first of last month
MARCH = date(T.year if T.month >= 3 else T.year - 1, 3, 1)
LWEEK0 = MONDAY - timedelta(days=7)

def between(s, a, b):        # a <= s < b, a and b dates
    return s is not None and a.isoformat() <= s < b.isoformat()
def rows(xs): return [[x] for x in xs]
def one(x): return [[x]]
def uniq(xs): return list(dict.fromkeys(xs))
def alts(*options):
    out = []
    for o in options:
        if o not in out:
            out.append(o)
    return out
def mean(xs):
    xs = list(xs)
    return sum(xs) / len(xs)
def r2(x): return round(x, 2)
def best(docs, key, low=False):
    docs = [x for x in docs if x[key] is not None]
    v = (min if low else max)(x[key] for x in docs)
    w = [x for x in docs if x[key] == v]
    assert len(w) == 1, (key, v)
    return w[0]
def group(docs, key, fn):
    g = {}
    for x in docs:
        k = key(x) if callable(key) else x[key]
        g.setdefault(k, []).append(x)
    return {k: fn(v) for k, v in g.items()}
def grows(g): return [[k, v] for k, v in g.items()]
def winner(g):
    v = max(g.values())
    w = [k for k in g if g[k] == v]
    assert len(w) == 1, w
    return w[0]
def top3(docs, key):
    s = sorted(docs, key=lambda x: -x[key])
    assert len({x[key] for x in s[:4]}) == 4
    return s[:3]

R = random.Random(111)

# ------------------------------------------------------------------ 1. sailing / boat charter
boats = [dict(zip(("boatName", "boatType", "homePort", "lengthMetres", "cabins", "maxGuests", "builtYear", "dailyRate",
                   "petsAllowed", "condition", "nextServiceDue"), t)) for t in [
    ("Halcyon",       "monohull",    "Palma",   13.9, 4, 8,  2017, 420.0,  True,  "ready",          d(48)),
    ("Meltemi",       "catamaran",   "Lefkada", 12.8, 4, 10, 2020, 690.0,  False, "ready",          d(23)),
    ("Sea Thistle",   "monohull",    "Split",   11.4, 3, 6,  2009, 265.0,  True,  "ready",          d(-12)),
    ("Bora Bella",    "catamaran",   "Split",   14.1, 5, 12, 2022, 880.0,  False, "ready",          d(95)),
    ("Ostro",         "monohull",    "Lefkada", 10.9, 3, 6,  2006, 230.0,  False, "awaiting parts", d(-40)),
    ("Santa Clara",   "motor yacht", "Palma",   15.2, 3, 8,  2015, 1150.0, False, "ready",          d(61)),
    ("Tramuntana",    "monohull",    "Palma",   14.6, 5, 10, 2019, 495.0,  True,  "ready",          d(17)),
    ("Kirke",         "gulet",       "Göcek",   24.0, 6, 14, 2003, 1600.0, False, "ready",          d(130)),
    ("Windröschen",   "monohull",    "Göcek",   12.3, 3, 7,  2012, 310.0,  True,  "in refit",       d(34)),
    ("Lazy Gannet",   "catamaran",   "Palma",   11.9, 4, 8,  2016, 610.0,  True,  "ready",          d(-3)),
    ("Dolphin Court", "motor yacht", "Split",   12.5, 2, 5,  2011, 740.0,  False, "laid up",        d(200)),
    ("Penelope",      "monohull",    "Lefkada", 13.1, 4, 9,  2021, 450.0,  False, "ready",          d(72)),
]]
skippers = [dict(zip(("fullName", "basePort", "contractType", "dayFee", "yearsAtSea", "licenceExpires", "speaksGerman",
                      "phone"), t)) for t in [
    ("Ines Ferreira",    "Palma",   "permanent", 195.0, 14, d(410),  False, "+34 611 204 118"),
    ("Marko Jurić",      "Split",   "permanent", 180.0, 22, d(57),   True,  "+385 91 553 2207"),
    ("Eleni Pappas",     "Lefkada", "seasonal",  170.0, 9,  d(720),  True,  "+30 694 118 7730"),
    ("Tom Ashdown",      "Palma",   "freelance", 220.0, 31, d(-18),  False, None),
    ("Deniz Yılmaz",     "Göcek",   "seasonal",  165.0, 6,  d(300),  False, "+90 532 771 0945"),
    ("Greta Lindqvist",  "Lefkada", "freelance", 210.0, 17, d(81),   True,  "+46 70 442 9016"),
    ("Pau Serra",        "Palma",   "seasonal",  160.0, 3,  d(890),  False, None),
    ("Luka Babić",       "Split",   "freelance", 205.0, 12, d(140),  True,  "+385 98 340 6619"),
    ("Hannah Voss",      "Göcek",   "permanent", 185.0, 11, d(29),   True,  "+49 171 880 3524"),
]]
_cust = [("Anke Brandt", "Germany"), ("Jürgen Pohl", "Germany"), ("Silke Neumann", "Germany"), ("Dieter Kranz", "Germany"),
         ("Oliver Hartley", "United Kingdom"), ("Priya Nair", "United Kingdom"), ("Fiona MacRae", "United Kingdom"),
         ("George Tolland", "United Kingdom"), ("Rachel Swann", "United Kingdom"), ("Colin Peake", "United Kingdom"),
         ("Camille Roux", "France"), ("Bastien Leroy", "France"), ("Hélène Marchand", "France"), ("Yves Garnier", "France"),
         ("Giulia Conti", "Italy"), ("Matteo Ricci", "Italy"), ("Paola Ferri", "Italy"),
         ("Sanne de Vries", "Netherlands"), ("Joost Bakker", "Netherlands"), ("Femke Visser", "Netherlands"),
         ("Lars Holm", "Denmark"), ("Mette Kjær", "Denmark"), ("Karin Berg", "Sweden"), ("Nils Ekström", "Sweden"),
         ("Carlos Medina", "Spain"), ("Lucía Navarro", "Spain"), ("Jan Kowalski", "Poland"), ("Agnieszka Wrona", "Poland"),
         ("Peter Aigner", "Austria"), ("Sabine Hofer", "Austria"), ("Urs Keller", "Switzerland"),
         ("Sean Gallagher", "Ireland"), ("Niamh Doyle", "Ireland"), ("Bruno Tavares", "Portugal"),
         ("Ivana Horvat", "Croatia"), ("Ruth Zimmerman", "United States"), ("Walt Pruitt", "United States")]
_rate = {b["boatName"]: b for b in boats}
_fee = {s["fullName"]: s["dayFee"] for s in skippers}
_spans = []                                                    # (boat, start offset, nights, fixed status)
for _b in boats:
    n = _b["boatName"]
    fixed = {"Halcyon": [(0, 7, None)], "Meltemi": [(5, 7, "confirmed")], "Lazy Gannet": [(9, 4, "option")],
             "Kirke": [(-3, 10, None)], "Penelope": [(16, 7, "confirmed")]}.get(n, [])
    _spans += [(n, s, k, st) for s, k, st in fixed]
    if n == "Dolphin Court":
        continue
    s = -230 + R.randint(0, 45)
    last = -50 if _b["condition"] != "ready" else 110
    while s < last:
        k = R.choice((3, 4, 7, 7, 7, 10, 14))
        if all(s + k < f or s > f + fk for f, fk, _ in fixed):
            _spans.append((n, s, k, None))
        s += k + R.randint(18, 75)
_spans.sort(key=lambda t: (t[1], t[0]))
charters, _busy = [], {}
_pool = [s["fullName"] for s in skippers if s["fullName"] not in ("Pau Serra",)]
_order = _cust[:]; R.shuffle(_order)
for i, (n, s, k, st) in enumerate(_spans):
    if st is None:
        st = ("completed" if R.random() > .14 else "cancelled") if s + k < 0 else \
             "under way" if s <= 0 else R.choice(("confirmed", "confirmed", "option", "confirmed", "cancelled"))
    free = [p for p in _pool if all(s + k < a or s > b for a, b in _busy.get(p, []))]
    sk = R.choice(free) if free and (n == "Kirke" or R.random() > .38) else None
    if sk:
        _busy.setdefault(sk, []).append((s, s + k))
    c = _order[i] if i < len(_order) else R.choice(_cust)
    price = r2((_rate[n]["dailyRate"] + (_fee[sk] if sk else 0)) * k * R.choice((1, 1, 1, .95, .9)) + R.randint(0, 180))
    dep = {"completed": True, "under way": True, "option": False}.get(st)
    if dep is None:
        dep = R.random() > .35
    charters.append({"charterNo": 3001 + i, "boat": n, "customer": c[0], "country": c[1], "skipper": sk, "startDate": d(s),
                     "endDate": d(s + k), "guests": R.randint(2, _rate[n]["maxGuests"]), "totalPrice": price,
                     "depositPaid": dep, "status": st})

B = {b["boatName"]: b for b in boats}
S = {s["fullName"]: s for s in skippers}
live = [c for c in charters if c["status"] != "cancelled"]
def boat(f): return rows(b["boatName"] for b in boats if f(b))
def skip(f): return rows(s["fullName"] for s in skippers if f(s))
def chs(f, who=True):
    """alternatives for a list of charters: by number or by customer; with and without the cancelled ones"""
    out = []
    for pool in (charters, live):
        sel = [c for c in pool if f(c)]
        out.append(rows(c["charterNo"] for c in sel))
        if who:
            out.append(rows(c["customer"] for c in sel))
    return alts(*out)
def chn(f): return alts(one(sum(map(f, charters))), one(sum(map(f, live))))
def cnt(xs): return len(xs)

_wk2 = lambda c: ISO <= c["startDate"] <= d(14)
_named = next(c for c in charters if c["skipper"] and S[c["skipper"]]["phone"] and c["status"] == "completed")
_named2 = next(c for c in charters[20:] if c["status"] == "completed" and c["skipper"] is None)
_upnodep = [c for c in charters if c["startDate"] >= ISO and not c["depositPaid"]]
_now = [c for c in charters if c["status"] == "under way"]

Q1 = [
    ("Which of our boats can take a dog?", alts(boat(lambda b: b["petsAllowed"]))),
    ("which boats are out on the water right now", alts(*[rows(c[k] for c in _now) for k in ("boat", "charterNo", "customer")])),
    ("boats in Palma", alts(boat(lambda b: b["homePort"] == "Palma"))),
    ("List every boat built before 2012.", alts(boat(lambda b: b["builtYear"] < 2012))),
    ("What's the cheapest boat to hire per day?", alts(one(best(boats, "dailyRate", True)["boatName"]))),
    ("average daily rate for monohulls", alts(one(mean(b["dailyRate"] for b in boats if b["boatType"] == "monohull")))),
    ("number of boats in each port", alts(grows(group(boats, "homePort", cnt)))),
    ("boats for 10 or more guests", alts(boat(lambda b: b["maxGuests"] >= 10))),
    ("Which boats are overdue for a service?", alts(boat(lambda b: b["nextServiceDue"] < ISO))),
    ("how many cabins does Tramuntana have?", alts(one(B["Tramuntana"]["cabins"]))),
    ("When is Meltemi next due for servicing?", alts(one(B["Meltemi"]["nextServiceDue"]))),
    ("which boats aren't ready to go out", alts(boat(lambda b: b["condition"] != "ready"))),
    ("skippers whose licence runs out in the next 90 days", alts(skip(lambda s: ISO <= s["licenceExpires"] <= d(90)))),
    ("Which freelance skippers speak German?", alts(skip(lambda s: s["contractType"] == "freelance" and s["speaksGerman"]))),
    ("who's our most experienced skipper", alts(one(best(skippers, "yearsAtSea")["fullName"]))),
    ("skippers we have no phone number for", alts(skip(lambda s: s["phone"] is None))),
    ("What does Ines Ferreira charge a day?", alts(one(S["Ines Ferreira"]["dayFee"]))),
    ("charters starting this month", chs(lambda c: between(c["startDate"], MONTH0, MONTH1))),
    ("How many charters have been cancelled?", alts(one(sum(c["status"] == "cancelled" for c in charters)))),
    ("total value of all confirmed charters", alts(one(r2(sum(c["totalPrice"] for c in charters if c["status"] == "confirmed"))))),
    ("upcoming charters where the deposit still hasn't been paid",
     alts(*[o for p in (_upnodep, [c for c in _upnodep if c["status"] != "cancelled"],
                        [c for c in _upnodep if c["status"] == "confirmed"])
            for o in (rows(c["charterNo"] for c in p), rows(c["customer"] for c in p))])),
    ("um so how many guests are we expecting over the next 14 days then",
     alts(one(sum(c["guests"] for c in charters if _wk2(c))), one(sum(c["guests"] for c in live if _wk2(c))),
          one(sum(c["guests"] for c in live if _wk2(c) and c["startDate"] > ISO)),
          one(sum(c["guests"] for c in charters if _wk2(c) and c["startDate"] > ISO)),
          one(sum(c["guests"] for c in charters if c["status"] == "confirmed" and _wk2(c))))),
    ("customers form Germany",                                                            # the typo
     alts(rows(uniq(c["customer"] for c in charters if c["country"] == "Germany")),
          rows(c["customer"] for c in charters if c["country"] == "Germany"),
          rows(c["charterNo"] for c in charters if c["country"] == "Germany"))),
    ("top 3 most expensive charters",
     alts(rows(c["charterNo"] for c in top3(charters, "totalPrice")), rows(c["customer"] for c in top3(charters, "totalPrice")),
          rows(c["charterNo"] for c in top3(live, "totalPrice")), rows(c["customer"] for c in top3(live, "totalPrice")))),
    ("Who was charter %d for?" % _named2["charterNo"], alts(one(_named2["customer"]))),
    # joins
    ("How many charters have we had on catamarans?",
     alts(*(chn(lambda c: B[c["boat"]]["boatType"] == "catamaran")
            + [one(sum(B[c["boat"]]["boatType"] == "catamaran" and c["startDate"] <= ISO for c in p)) for p in (charters, live)]
            + [one(sum(B[c["boat"]]["boatType"] == "catamaran" and c["status"] == "completed" for c in charters))]))),
    ("confirmed charters on boats based in Lefkada",
     alts(*[rows(c[k] for c in charters if c["status"] == "confirmed" and B[c["boat"]]["homePort"] == "Lefkada")
            for k in ("charterNo", "customer")])),
    ("average charter price by type of boat",
     alts(*[grows(group(p, lambda c: B[c["boat"]]["boatType"], lambda v: mean(c["totalPrice"] for c in v)))
            for p in (charters, live)])),
    ("What's the phone number of the skipper on charter %d?" % _named["charterNo"], alts(one(S[_named["skipper"]]["phone"]))),
    ("which skippers don't have any charters at all",
     alts(skip(lambda s: all(c["skipper"] != s["fullName"] for c in charters)),
          skip(lambda s: all(c["skipper"] != s["fullName"] for c in live)))),
    ("how much have the charters with our seasonal skippers come to in total",
     alts(*[one(r2(sum(c["totalPrice"] for c in p if c["skipper"] and S[c["skipper"]]["contractType"] == "seasonal")))
            for p in (charters, live, [c for c in charters if c["status"] == "completed"],
                      [c for c in charters if c["status"] in ("completed", "under way")])])),
    # not in the data
    ("Which boats have air conditioning?", "none"),
    ("how much did we spend on mooring fees last month", "none"),
    ("email addresses of our customers from France", "none"),
    ("What's the fuel consumption of Santa Clara?", "none"),
]

# ------------------------------------------------------------------ 2. food bank
donors = [dict(zip(("donor_name", "donor_type", "contact_person", "town", "joined_on", "gift_aid", "monthly_pledge",
                    "email"), t)) for t in [
    ("Fairways Superstore",   "supermarket", "Denise Hall",     "Hexham",  "2016-04-11", False, 350.0, "denise.hall@fairways.example"),
    ("Tyne Valley Bakery",    "bakery",      "Imran Siddiqui",  "Hexham",  "2018-09-03", False, None,  "imran@tvbakery.example"),
    ("Low Shield Farm",       "farm",        "Walter Robson",   "Morpeth", "2019-06-20", False, None,  None),
    ("St Oswald's Church",    "church",      "Rev Alice Munro", "Alnwick", "2014-11-30", True,  120.0, "office@stoswalds.example"),
    ("Budgeway Blyth",        "supermarket", "Kelly Armstrong", "Blyth",   "2021-02-15", False, 200.0, "store114@budgeway.example"),
    ("Harbour Bread Co",      "bakery",      "Stefan Wolski",   "Blyth",   "2022-05-09", False, None,  "hello@harbourbread.example"),
    ("Northfold Dairy",       "farm",        "Jean Turnbull",   "Alnwick", "2020-10-01", False, 75.0,  "jean@northfold.example"),
    ("Margaret Elliott",      "individual",  "Margaret Elliott", "Morpeth", "2017-01-22", True, 25.0,  None),
    ("Methodist Circuit",     "church",      "Paul Jobling",    "Morpeth", "2020-03-17", True,  90.0,  "p.jobling@circuit.example"),
    ("Coop Lane Stores",      "supermarket", "Ravi Chauhan",    "Morpeth", "2023-07-28", False, None,  "ravi@cooplane.example"),
    ("Edwin Charlton",        "individual",  "Edwin Charlton",  "Hexham",  "2022-12-05", True,  15.0,  "edwin.c@post.example"),
    ("Cheviot Growers",       "farm",        "Sally Dodd",      "Alnwick", d(-210),      False, None,  "sally@cheviotgrowers.example"),
    ("Sandra Okoro",          "individual",  "Sandra Okoro",    "Blyth",   d(-25),       True,  40.0,  None),
]]
D = {x["donor_name"]: x for x in donors}
_vol = ["Joan Pattison", "Bilal Ahmed", "Moira Stokes", "Greg Tulloch", "Wei Lin"]
_gives = {"supermarket": ["tins", "toiletries", "dairy", "tins"], "bakery": ["bread"], "farm": ["fresh produce"],
          "church": ["tins", "toiletries"], "individual": ["tins", "toiletries"]}
_shelf = {"tins": (200, 600), "bread": (3, 6), "dairy": (8, 20), "fresh produce": (5, 14)}
_offs = [0, -1, (LWEEK0 - T).days, (LWEEK0 - T).days + 2, (LWEEK0 - T).days + 5, (LMONTH0 - T).days + 3, (LMONTH0 - T).days + 11,
         (LMONTH0 - T).days + 20, -2, -4]
_offs = sorted(_offs + [-R.randint(3, 400) for _ in range(42)])
_who = [x for x in donors if x["donor_name"] not in ("Sandra Okoro", "Edwin Charlton")]
donations = []
for i, o in enumerate(_offs):
    w = R.choice(_who)
    while o < -200 and w["donor_name"] == "Cheviot Growers":
        w = R.choice(_who)
    cat = R.choice(_gives[w["donor_type"]])
    if w["donor_name"] == "Northfold Dairy":
        cat = "dairy"
    kg = round(R.uniform(6, 180 if w["donor_type"] in ("supermarket", "farm") else 45), 1)
    bb = None if cat == "toiletries" else o + R.randint(*_shelf[cat])
    st = "waiting" if o > -3 else R.choice(("shelved", "waiting", "given out")) if o > -12 else \
         R.choice(("given out", "given out", "given out", "discarded")) if cat in ("bread", "dairy", "fresh produce") else \
         R.choice(("given out", "given out", "shelved"))
    donations.append({"donation_no": 5001 + i, "donor": w["donor_name"], "received_on": d(o), "category": cat, "weight_kg": kg,
                      "estimated_value": r2(kg * R.uniform(1.4, 3.9)), "best_before": None if bb is None else d(bb),
                      "needs_fridge": cat == "dairy", "stock_status": st, "received_by": R.choice(_vol)})
# two rows that must always be there: stock on the shelf that soon runs out of date, and stock already out of date
for cat, o, bb, st, dn, kg in (("tins", -95, 9, "shelved", "Fairways Superstore", 64.5), ("dairy", -11, 4, "shelved", "Northfold Dairy", 38.2),
                               ("tins", -260, -8, "shelved", "Methodist Circuit", 19.9), ("bread", -6, -2, "waiting", "Harbour Bread Co", 12.4)):
    donations.append({"donation_no": 5001 + len(donations), "donor": dn, "received_on": d(o), "category": cat, "weight_kg": kg,
                      "estimated_value": r2(kg * 2.35), "best_before": d(bb), "needs_fridge": cat == "dairy", "stock_status": st,
                      "received_by": R.choice(_vol)})

_sur = ["Okafor", "Bell", "Nowak", "Ridley", "Hassan", "Carr", "Thompson", "Ivanova", "Dixon", "Rahman", "Storey", "Mbeki", "Pringle",
        "Lowes", "Kaya", "Fenwick", "Aziz", "Milburn", "Santos", "Graham", "Heslop", "Popescu", "Waugh", "Begum", "Laidler", "Quigley",
        "Tait", "Osman", "Younger", "Cowan", "Sharma", "Nixon", "Foster", "Demir", "Purvis", "Lamb", "Hogg", "Wójcik", "Adeyemi", "Short"]
_first = ["Grace", "Liam", "Ewa", "Carol", "Yusuf", "Dawn", "Neil", "Olga", "Kerry", "Nadia", "Ben", "Thandi", "Ruth", "Craig", "Elif",
          "Stan", "Farah", "Jodie", "Rui", "Angus"]
_agency = ["Citizens Advice", "Riverside Surgery", "County Council", "Women's Refuge"]
parcels = []
_poffs = sorted([1, 2, 4, 6, 0, -5, -9] + [R.randint(-120, 21) for _ in range(33)])
for i, o in enumerate(_poffs):
    hh = R.choice((1, 1, 2, 2, 3, 4, 4, 5, 6, 7))
    st = R.choice(("requested", "packed")) if o >= 0 else R.choice(("delivered", "delivered", "delivered", "delivered", "missed"))
    if o in (-5, -9):
        st = "packed" if o == -5 else "requested"             # should have gone out, did not
    town = R.choice(("Hexham", "Morpeth", "Alnwick", "Blyth", "Blyth"))
    parcels.append({"parcel_no": 801 + i, "recipient": R.choice(_first) + " " + _sur[i], "town": town, "household_size": hh,
                    "referred_by": R.choice(_agency), "dietary_need": R.choice((None, None, None, "halal", "vegetarian", "gluten free")),
                    "due_on": d(o), "weight_kg": round(5 + hh * R.uniform(3, 5), 1), "home_delivery": R.random() < .4,
                    "packed_by": None if st == "requested" else R.choice(_vol), "parcel_status": st})
P = parcels
def don(f): return rows(x["donor_name"] for x in donors if f(x))
def gifts(f): return rows(x["donation_no"] for x in donations if f(x))
def par(f, pool=None):
    sel = [p for p in P if f(p)]
    return alts(rows(p["parcel_no"] for p in sel), rows(p["recipient"] for p in sel))
_gone = ("given out", "discarded")
_soon = lambda x: x["best_before"] and ISO <= x["best_before"] <= d(14)
_n1 = next(x for x in donations[20:] if x["stock_status"] == "discarded")
_n2 = next(x for x in donations[30:] if D[x["donor"]]["contact_person"] != x["donor"] and x["category"] != "bread")
_n3 = next(p for p in P if p["due_on"] > ISO)
_town = lambda x: D[x["donor"]]["town"]
_type = lambda x: D[x["donor"]]["donor_type"]
_wk = MONDAY + timedelta(days=7)
_lm = [x for x in donations if between(x["received_on"], LMONTH0, MONTH0)]
_late = lambda p: p["due_on"] < ISO and p["parcel_status"] in ("requested", "packed")

Q2 = [
    ("How many donors are on our books?", alts(one(len(donors)))),
    ("which donor has given us the most food by weight", alts(*[one(winner(group(
        [x for x in donations if all_ or x["category"] != "toiletries"], "donor", lambda v: round(sum(x["weight_kg"] for x in v), 1))))
        for all_ in (True, False)])),
    ("who can we claim gift aid for", alts(don(lambda x: x["gift_aid"]))),
    ("donors that joined before 2020", alts(don(lambda x: x["joined_on"] < "2020-01-01"))),
    ("Who's our contact at Tyne Valley Bakery?", alts(one("Imran Siddiqui"))),
    ("donors with no email address", alts(don(lambda x: x["email"] is None))),
    ("Which donor pledges the most per month?", alts(one(best(donors, "monthly_pledge")["donor_name"]))),
    ("how much is pledged each month altogether", alts(one(r2(sum(x["monthly_pledge"] or 0 for x in donors))))),
    ("How many kilos of food came in last month?",
     alts(one(round(sum(x["weight_kg"] for x in _lm), 1)), one(round(sum(x["weight_kg"] for x in _lm if x["category"] != "toiletries"), 1)))),
    ("how many donations have we had since March", alts(one(sum(x["received_on"] >= MARCH.isoformat() for x in donations)))),
    ("donations that arrived last week", alts(gifts(lambda x: between(x["received_on"], LWEEK0, MONDAY)))),
    ("total weight donated per category",
     alts(grows(group(donations, "category", lambda v: round(sum(x["weight_kg"] for x in v), 1))))),
    ("What is a donation worth on average?", alts(one(mean(x["estimated_value"] for x in donations)))),
    ("how many donations have to be kept in the fridge",
     alts(one(sum(x["needs_fridge"] for x in donations)), one(sum(x["needs_fridge"] and x["stock_status"] not in _gone for x in donations)))),
    ("what's still waiting to be sorted?", alts(gifts(lambda x: x["stock_status"] == "waiting"))),
    ("shelved stock going out of date in the next 14 days", alts(gifts(lambda x: x["stock_status"] == "shelved" and _soon(x)))),
    ("the 3 heaviest donations we ever got", alts(rows(x["donation_no"] for x in top3(donations, "weight_kg")))),
    ("number of donations each volunteer took in", alts(grows(group(donations, "received_by", cnt)))),
    ("what happened to donation %d" % _n1["donation_no"], alts(one(_n1["stock_status"]))),
    ("Donations worth more than £300", alts(gifts(lambda x: x["estimated_value"] > 300))),
    ("parcels for Blyth that were missed", par(lambda p: p["town"] == "Blyth" and p["parcel_status"] == "missed")),
    ("How many parcels are for households of five or more?", alts(one(sum(p["household_size"] >= 5 for p in P)))),
    ("parcels due in the next 7 days",
     alts(*(par(lambda p: ISO <= p["due_on"] <= d(7)) + par(lambda p: ISO < p["due_on"] <= d(7))))),
    ("which halal parcels haven't been deliverd yet",                                      # the typo
     alts(*(par(lambda p: p["dietary_need"] == "halal" and p["parcel_status"] != "delivered")
            + par(lambda p: p["dietary_need"] == "halal" and p["parcel_status"] in ("requested", "packed"))))),
    ("ok so when is the parcel for %s due" % _n3["recipient"], alts(one(_n3["due_on"]))),
    # joins
    ("How much weight have the supermarkets given us in total?",
     alts(one(round(sum(x["weight_kg"] for x in donations if _type(x) == "supermarket"), 1)))),
    ("donations from donors in Morpeth", alts(gifts(lambda x: _town(x) == "Morpeth"))),
    ("which donors have never donated anything", alts(don(lambda x: all(g["donor"] != x["donor_name"] for g in donations)))),
    ("value of donations for each type of donor",
     alts(grows(group(donations, _type, lambda v: r2(sum(x["estimated_value"] for x in v)))))),
    ("Who should I ring about donation %d, who is the contact there?" % _n2["donation_no"],
     alts(one(D[_n2["donor"]]["contact_person"]))),
    ("how many of the donations came from churches", alts(one(sum(_type(x) == "church" for x in donations)))),
    # not in the data
    ("How many hours did Joan Pattison volunteer last month?", "none"),
    ("what's the phone number for Low Shield Farm", "none"),
    ("How many miles did the van do this week?", "none"),
    ("which recipients have lost their job", "none"),
]

SETS = [
    ("boat charter", {"boats": boats, "skippers": skippers, "charters": charters}, Q1),
    ("food bank", {"donors": donors, "donations": donations, "parcels": parcels}, Q2),
]

if __name__ == "__main__":
    for name, colls, qs in SETS:
        print("==", name, {k: len(v) for k, v in colls.items()}, {k: len(v[0]) for k, v in colls.items()}, len(qs))
        for q, g in qs:
            print(" ", q)
            for a in ([g] if g == "none" else g):
                print("       ", a)
