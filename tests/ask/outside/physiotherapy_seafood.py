from datetime import date, timedelta
import random

T = date.today()


def D(n):
    return (T + timedelta(days=n)).isoformat()


MON = T - timedelta(days=T.weekday())
M1 = T.replace(day=1)
LM_END = M1 - timedelta(days=1)
LM1 = LM_END.replace(day=1)
NM1 = (M1 + timedelta(days=32)).replace(day=1)
MARCH = date(T.year if T.month >= 3 else T.year - 1, 3, 1).isoformat()


def wk(k, d=0):                      # day d (0 = Monday) of the week k weeks from now
    return (MON + timedelta(days=7 * k + d)).isoformat()


def in_week(s, k):
    return wk(k) <= s <= wk(k, 6)


def this_month(s):
    return M1.isoformat() <= s < NM1.isoformat()


def last_month(s):
    return LM1.isoformat() <= s <= LM_END.isoformat()


def between(s, a, b):
    return D(a) <= s <= D(b)


def alts(*a):                        # drop duplicate / empty alternatives
    out = []
    for x in a:
        if x and x not in out:
            out.append(x)
    return out


def by(rows, *keys):                 # list answer; every key alone is an accepted identification
    a = []
    for k in keys:
        v = [r[k] for r in rows]
        a += [[[x] for x in v], [[x] for x in dict.fromkeys(v)]]
    return alts(*a)


def val(*vs):
    return alts(*[[[v]] for v in vs])


def tot(rows, k):
    return round(sum(r[k] for r in rows), 2)


def avg(rows, k):
    return sum(r[k] for r in rows) / len(rows)


def group(rows, k, f=len):
    g = {}
    for r in rows:
        g.setdefault(k(r) if callable(k) else r[k], []).append(r)
    return [[n, f(rs)] for n, rs in g.items()]


def top(groups):                     # the winner; no tie allowed
    s = sorted(groups, key=lambda x: -x[1])
    assert len(s) == 1 or s[0][1] != s[1][1], "tie"
    return s[0]


# ------------------------------------------------------------------ domain 1: physiotherapy practice
R = random.Random(101)

therapists = [dict(zip(("therapistName", "specialty", "hourlyRate", "weeklyHours", "startDate", "acceptsNewPatients",
                        "room", "phoneExtension"), t)) for t in [
    ("Marta Kowalska", "sports injuries", 68.0, 38, "2016-09-01", True, "Room 2", "202"),
    ("Gareth Pugh", "back and neck", 62.5, 40, "2012-04-16", False, "Room 1", "201"),
    ("Ayesha Rahman", "women's health", 71.0, 24, "2019-01-07", True, "Room 4", "204"),
    ("Colin Strachan", "sports injuries", 59.0, 36, "2022-06-13", True, "Gym", None),
    ("Linnea Berg", "neurological rehab", 74.5, 30, "2020-10-05", False, "Room 3", "203"),
    ("Owen Tregear", "back and neck", 54.0, 20, "2023-08-21", True, "Room 5", None),
]]

_P = [  # name, birth, town, insurer, referredBy, complaint, registered, balance, consent
    ("Nora Whitfield", "1948-03-12", "Folkestone", "Bupa", "Dr. Hale", "hip replacement", "2019-05-14", 0.0, True),
    ("Desmond Achebe", "1975-11-02", "Hythe", "Vitality", None, "lower back pain", "2020-02-03", 52.0, True),
    ("Priya Nair", "1989-07-24", "Ashford", "Aviva", "Dr. Moss", "tennis elbow", "2021-09-20", 120.5, True),
    ("Tomasz Zielinski", "1967-01-30", "Folkestone", "self-pay", None, "frozen shoulder", "2018-11-08", 310.0, False),
    ("Harriet Cole", "1993-12-05", "Dover", "Bupa", "Dr. Hale", "ankle sprain", "2022-03-17", 0.0, True),
    ("Jamal Osei", "2001-06-18", "Folkestone", "Vitality", "Dr. Sandhu", "hamstring tear", "2023-01-26", 58.0, True),
    ("Elspeth Moran", "1953-08-09", "Hythe", "Bupa", "Dr. Moss", "stroke recovery", "2020-07-01", 0.0, True),
    ("Rupert Lang", "1981-04-21", "Ashford", "self-pay", None, "neck pain", "2021-04-12", 185.0, False),
    ("Yuki Tanabe", "1996-02-14", "Folkestone", "Aviva", "Dr. Sandhu", "runner's knee", "2023-10-09", 60.0, True),
    ("Fiona Galbraith", "1970-10-27", "Dover", "AXA", "Dr. Hale", "sciatica", "2019-08-30", 0.0, True),
    ("Samir Haddad", "1986-05-03", "Hythe", "Vitality", None, "neck pain", "2022-11-15", 97.0, True),
    ("Beatrice Hollis", "1944-09-16", "Folkestone", "self-pay", "Dr. Moss", "hip replacement", "2017-06-22", 240.0, True),
    ("Callum Reid", "2004-01-11", "Ashford", "Bupa", None, "ankle sprain", D(-160), 0.0, True),
    ("Oksana Petrenko", "1978-03-29", "Folkestone", "AXA", "Dr. Sandhu", "lower back pain", "2022-05-05", 64.5, True),
    ("Victor Dupree", "1959-12-31", "Dover", "Bupa", "Dr. Hale", "knee replacement", "2020-09-11", 0.0, False),
    ("Maeve Donnelly", "1991-08-19", "Hythe", "Aviva", None, "pelvic floor", D(-75), 71.0, True),
    ("Stanley Ogden", "1938-02-25", "Folkestone", "self-pay", "Dr. Moss", "balance problems", "2016-10-04", 132.0, True),
    ("Leila Farouk", "1984-06-06", "Ashford", "Vitality", "Dr. Sandhu", "tennis elbow", D(-48), 0.0, True),
    ("Joseph Marsh", "1962-07-15", "Dover", "AXA", None, "frozen shoulder", "2021-12-01", 45.0, True),
    ("Gwen Ellery", "1973-09-08", "Folkestone", "Bupa", "Dr. Hale", "sciatica", D(-24), 0.0, False),
    ("Ravi Menon", "1998-11-23", "Hythe", "Aviva", "Dr. Sandhu", "hamstring tear", D(-17), 58.0, True),
    ("Anton Schreiber", "1969-05-28", "Ashford", "self-pay", None, "lower back pain", D(-9), 0.0, True),
    ("Pauline Stokes", "1955-04-02", "Folkestone", "Bupa", "Dr. Moss", "knee replacement", D(-3), 0.0, False),
    ("Iris Calloway", "1987-10-13", "Dover", "Vitality", None, "runner's knee", D(0), 0.0, False),
]
patients = [dict(zip(("patientNumber", "fullName", "birthDate", "town", "insurer", "referredBy", "mainComplaint",
                      "registeredOn", "balanceDue", "consentSigned"), (f"P-{1001 + i}",) + p)) for i, p in enumerate(_P)]
PAT = {p["fullName"]: p for p in patients}
THE = {t["therapistName"]: t for t in therapists}

_TREAT = {"initial assessment": (75.0, 60), "follow-up": (52.0, 30), "sports massage": (60.0, 45),
          "dry needling": (58.0, 30), "hydrotherapy": (64.5, 60)}
appointments = []


def appt(patient, therapist, day, treat, status, paid, extra=0.0, minutes=None, note=None):
    fee, m = _TREAT[treat]
    appointments.append({
        "appointmentNo": 5001 + len(appointments), "patient": patient, "therapist": therapist, "visitDate": day,
        "startTime": f"{R.randint(8, 17):02d}:{R.choice(('00', '15', '30', '45'))}", "durationMin": minutes or m,
        "treatmentType": treat, "status": status, "fee": fee + extra, "paid": paid, "receptionNote": note})


_withoutVisits = {"Iris Calloway", "Pauline Stokes", "Joseph Marsh"}
_old = [p["fullName"] for p in patients[:18] if p["fullName"] not in _withoutVisits]
_names = [t["therapistName"] for t in therapists]
for i in range(38):
    off = -R.randint(4, 44) if i < 30 else R.randint(3, 13)
    treat = R.choices(list(_TREAT), (3, 9, 4, 4, 3))[0]
    st = "booked" if off > 0 else R.choices(("completed", "cancelled", "no-show"), (14, 3, 2))[0]
    appt(R.choice(_old), R.choice(_names) if i < 30 else _names[i % 6], D(off), treat, st,
         st == "completed" and R.random() < .7, R.choice((0.0, 0.0, 0.0, 5.0, -4.0)), None,
         R.choice((None, None, None, "needs ground floor", "asked for a reminder")))
appt("Jamal Osei", "Marta Kowalska", (LM1 + timedelta(days=9)).isoformat(), "sports massage", "no-show", False)
appt("Rupert Lang", "Gareth Pugh", (LM1 + timedelta(days=17)).isoformat(), "follow-up", "no-show", False, note="left a voicemail")
appt("Fiona Galbraith", "Gareth Pugh", (LM1 + timedelta(days=20)).isoformat(), "hydrotherapy", "completed", True)
appt("Harriet Cole", "Colin Strachan", wk(-1, 1), "follow-up", "cancelled", False, note="ill")
appt("Yuki Tanabe", "Marta Kowalska", wk(-1, 3), "dry needling", "cancelled", False)
appt("Anton Schreiber", "Owen Tregear", D(-5), "initial assessment", "completed", True)
appt("Gwen Ellery", "Ayesha Rahman", D(-15), "initial assessment", "completed", False)
appt("Ravi Menon", "Colin Strachan", D(-11), "initial assessment", "completed", False, 5.0)
appt("Nora Whitfield", "Linnea Berg", D(0), "hydrotherapy", "booked", False, minutes=75)
appt("Oksana Petrenko", "Gareth Pugh", D(0), "follow-up", "booked", False)
appt("Elspeth Moran", "Linnea Berg", D(1), "hydrotherapy", "booked", False)
appt("Leila Farouk", "Marta Kowalska", D(1), "dry needling", "booked", False)
appt("Callum Reid", "Colin Strachan", D(1), "sports massage", "booked", False)
appt("Desmond Achebe", "Owen Tregear", wk(1, 1), "follow-up", "booked", False)
appt("Samir Haddad", "Gareth Pugh", wk(1, 3), "dry needling", "booked", False)
appt("Stanley Ogden", "Ayesha Rahman", wk(1, 2), "follow-up", "booked", False)

A = appointments
done = [a for a in A if a["status"] == "completed"]
live = [a for a in A if a["status"] != "cancelled"]
next14 = [a for a in A if between(a["visitDate"], 0, 14)]
noShowLM = [a for a in A if a["status"] == "no-show" and last_month(a["visitDate"])]
tomorrow = [a for a in A if a["visitDate"] == D(1)]
longTM = [a for a in A if a["durationMin"] > 45 and this_month(a["visitDate"])]
hytheNW = [a for a in A if in_week(a["visitDate"], 1) and PAT[a["patient"]]["town"] == "Hythe"]
vital = [a for a in A if PAT[a["patient"]]["insurer"] == "Vitality"]
sporty = [a for a in done if THE[a["therapist"]]["specialty"] == "sports injuries"]
noShowers = {a["patient"] for a in A if a["status"] == "no-show"}
_bal = sorted(patients, key=lambda p: -p["balanceDue"])
assert _bal[2]["balanceDue"] != _bal[3]["balanceDue"]

Q1 = [
    ("How many patients are on our books?", val(len(patients))),
    ("which physios can still take on new patients", by([t for t in therapists if t["acceptsNewPatients"]], "therapistName")),
    ("no-shows last month", by(noShowLM, "appointmentNo", "patient")),
    ("What do all the no-shows add up to in fees?", val(tot([a for a in A if a["status"] == "no-show"], "fee"))),
    ("Which patients were born before 1960?", by([p for p in patients if p["birthDate"] < "1960"], "fullName", "patientNumber")),
    ("who lives in Ashford?", by([p for p in patients if p["town"] == "Ashford"], "fullName", "patientNumber")),
    ("Who still hasn't signed the consent form?", by([p for p in patients if not p["consentSigned"]], "fullName", "patientNumber")),
    ("patients who came to us without a referral", by([p for p in patients if p["referredBy"] is None], "fullName", "patientNumber")),
    ("Who owes us more than 100 pounds?", by([p for p in patients if p["balanceDue"] > 100], "fullName", "patientNumber")),
    ("top 3 patients by what they owe", by(_bal[:3], "fullName", "patientNumber")),
    ("What's the average fee of a completed visit?", val(avg(done, "fee"))),
    ("How many appointments does each therapist have in the next 14 days?",
     alts(group(next14, "therapist"), group([a for a in next14 if a["status"] == "booked"], "therapist"))),
    ("What does Marta Kowalska charge per hour?", val(THE["Marta Kowalska"]["hourlyRate"])),
    ("which room is Linnea Berg in", val(THE["Linnea Berg"]["room"])),
    ("When did Gareth Pugh start with us?", val(THE["Gareth Pugh"]["startDate"])),
    ("who's coming in tomorow", by(tomorrow, "patient", "appointmentNo")),
    ("Which therapist is the most expensive?", [[[max(therapists, key=lambda t: t["hourlyRate"])["therapistName"]]]]),
    ("Which kind of treatment gets booked most often?",
     alts([[top(group(A, "treatmentType"))[0]]], [[top(group(live, "treatmentType"))[0]]])),
    ("completed sessions that haven't been paid yet", by([a for a in done if not a["paid"]], "appointmentNo", "patient")),
    ("Sessions of more than 45 minutes this month", by(longTM, "appointmentNo", "patient")
     + by([a for a in longTM if a["status"] != "cancelled"], "appointmentNo", "patient")),
    ("total fees per type of treatment", alts(group(A, "treatmentType", lambda r: tot(r, "fee")),
                                              group(done, "treatmentType", lambda r: tot(r, "fee")),
                                              group(live, "treatmentType", lambda r: tot(r, "fee")))),
    ("how many patients do we have in each town?", [group(patients, "town")]),
    ("um so how many of our patients are with Bupa then", val(sum(p["insurer"] == "Bupa" for p in patients))),
    ("Which patients from Hythe are coming in next week?", by(hytheNW, "patient", "appointmentNo")),
    ("How much have we charged altogether for visits of Vitality patients?",
     val(tot(vital, "fee"), tot([a for a in vital if a["status"] == "completed"], "fee"),
         tot([a for a in vital if a["status"] != "cancelled"], "fee"))),
    ("How many completed visits were with a sports injury specialist?", val(len(sporty))),
    ("Do we have patients without any appointment at all? Which ones?",
     by([p for p in patients if not any(a["patient"] == p["fullName"] for a in A)], "fullName", "patientNumber")),
    ("who has registered with us since March", by([p for p in patients if p["registeredOn"] >= MARCH], "fullName", "patientNumber")),
    ("How many new patients in the last 30 days?", val(sum(between(p["registeredOn"], -30, 0) for p in patients))),
    ("appointments that were cancelled last week",
     by([a for a in A if a["status"] == "cancelled" and in_week(a["visitDate"], -1)], "appointmentNo", "patient")),
    ("Which therapist has brought in the most money from completed visits?",
     [[[top(group(done, "therapist", lambda r: tot(r, "fee")))[0]]]]),
    ("Does Nora Whitfield have any allergies?", "none"),
    ("How much rent do we pay for the practice?", "none"),
    ("how many sick days did Colin Strachan take this year", "none"),
    ("Which exercises was Jamal Osei given to do at home?", "none"),
]

# ------------------------------------------------------------------ domain 2: seafood wholesaler
S = random.Random(101)

customers = [dict(zip(("customer_name", "contact_person", "town", "customer_type", "credit_limit", "outstanding_balance",
                       "payment_days", "has_cold_store", "first_order_on", "email"), c)) for c in [
    ("The Salty Dog", "Aoife Brennan", "Galway", "restaurant", 3000, 1240.5, 14, True, "2014-05-20", "orders@saltydog.example"),
    ("Hotel Meridian", "Klaus Winter", "Dublin", "hotel", 12000, 7350.0, 30, True, "2011-02-11", "kitchen@meridian.example"),
    ("Harbour Fish Shop", "Declan Shea", "Cork", "fishmonger", 2500, 2810.75, 14, False, "2017-09-04", None),
    ("FreshMart Limerick", "Sandra Obi", "Limerick", "supermarket", 20000, 9120.4, 45, True, "2018-01-15", "buying@freshmart.example"),
    ("Casa Lola", "Lola Jimenez", "Cork", "restaurant", 2000, 430.0, 14, False, "2021-06-30", "lola@casalola.example"),
    ("Brogan & Sons", "Peter Brogan", "Dublin", "fishmonger", 6000, 3385.2, 21, True, "2009-10-01", None),
    ("Atlantic View Hotel", "Niamh Corrigan", "Galway", "hotel", 8000, 2075.0, 30, True, "2016-03-22", "chef@atlanticview.example"),
    ("Sushi Kumo", "Kenji Mori", "Dublin", "restaurant", 4000, 4415.9, 7, False, "2022-11-08", "kenji@kumo.example"),
    ("Quay Street Bistro", "Marion Duval", "Galway", "restaurant", 2500, 0.0, 14, False, "2019-04-17", "marion@quaystreet.example"),
    ("ValueFoods Cork", "Ian Prendergast", "Cork", "supermarket", 15000, 6640.0, 45, True, "2013-08-26", "ian@valuefoods.example"),
    ("Murphy's Seafood Counter", "Tess Murphy", "Limerick", "fishmonger", 3500, 915.3, 21, True, "2020-12-02", None),
    ("The Gilded Oyster", "Fabrice Colin", "Cork", "restaurant", 3500, 1980.0, 14, False, D(-40), "fabrice@gildedoyster.example"),
    ("Shannon Lodge", "Orla Keane", "Limerick", "hotel", 5000, 0.0, 30, False, "2023-05-09", None),
]]
CUS = {c["customer_name"]: c for c in customers}

_SP = {"Cod": 8.2, "Salmon": 13.5, "Mackerel": 4.1, "Monkfish": 17.8, "Halibut": 22.4, "Langoustine": 26.0, "Hake": 7.3}
_VES = {"Morning Star": "Killybegs", "Girl Eileen": "Castletownbere", "Northern Dawn": "Killybegs",
        "Saint Brendan": "Dingle", "Western Quest": "Rossaveel"}
lots = []


def lot(species, vessel, landed, kg, grade, frozen, status, inspector, use_by=None, price=None):
    lots.append({"lot_number": f"L{3101 + len(lots)}", "species": species, "vessel": vessel, "port": _VES[vessel],
                 "landed_on": landed, "weight_kg": kg,
                 "price_per_kg": price or round(_SP[species] * S.uniform(.82, 1.2), 2), "quality_grade": grade,
                 "is_frozen": frozen, "status": status,
                 "use_by": use_by or (date.fromisoformat(landed) + timedelta(days=360 if frozen else 9)).isoformat(),
                 })
    lots[-1]["inspected_by"] = inspector


_INSP = ("Ruth Adeyemi", "Ciaran Doyle", "Ruth Adeyemi", None)
for i in range(30):
    frozen = S.random() < .3
    off = -S.randint(20, 75) if i < 18 else -S.randint(1, 6)
    if off < -10 and not frozen:
        st = S.choices(("sold", "spoiled"), (6, 1))[0]
    else:
        st = S.choices(("in stock", "reserved", "sold"), (4, 2, 2))[0]
    lot(S.choice(list(_SP)), S.choice(list(_VES)), D(off), round(S.uniform(40, 420), 1), S.choices("ABC", (5, 3, 2))[0],
        frozen, st, S.choice(_INSP))
lot("Cod", "Morning Star", D(-7), 185.5, "A", False, "in stock", "Ciaran Doyle", D(2))
lot("Hake", "Girl Eileen", D(-6), 96.0, "B", False, "in stock", None, D(3))
lot("Mackerel", "Saint Brendan", wk(-1, 2), 240.0, "A", False, "reserved", "Ruth Adeyemi", D(6))
lot("Halibut", "Northern Dawn", wk(-1, 4), 74.2, "A", False, "in stock", "Ciaran Doyle", D(7), 23.9)
lot("Cod", "Western Quest", D(-2), 130.0, "B", False, "in stock", None)
lot("Langoustine", "Girl Eileen", D(-1), 52.4, "A", False, "reserved", "Ruth Adeyemi", None, 33.5)
lot("Monkfish", "Northern Dawn", D(-21), 118.0, "C", False, "spoiled", "Ciaran Doyle")
LOT = {x["lot_number"]: x for x in lots}

deliveries = []
_DRV = ("Mick Tully", "Joanna Reyes", "Padraig Flynn")


def deliv(customer, lotno, day, kg, status, driver, paid):
    due = (date.fromisoformat(day) + timedelta(days=CUS[customer]["payment_days"])).isoformat()
    paid_on = None
    if paid:
        paid_on = min((date.fromisoformat(day) + timedelta(days=S.randint(2, 12))), T).isoformat()
    deliveries.append({"delivery_no": f"D-{2001 + len(deliveries)}", "customer": customer, "lot": lotno,
                       "delivery_date": day, "kg": kg, "invoice_total": round(kg * LOT[lotno]["price_per_kg"] * 1.25, 2),
                       "due_date": due, "status": status, "driver": driver, "paid": paid, "paid_on": paid_on})


_buyers = [c["customer_name"] for c in customers if c["customer_name"] not in ("Shannon Lodge", "The Gilded Oyster")]
for i in range(38):
    x = S.choice(lots[:18] if i < 28 else lots[18:30])
    off = (date.fromisoformat(x["landed_on"]) - T).days + (S.randint(2, 6) if i < 28 else S.randint(7, 13))
    off = off if off != 0 else 2
    st = "planned" if off > 0 else S.choices(("delivered", "returned", "cancelled"), (14, 2, 1))[0]
    deliv(S.choice(_buyers), x["lot_number"], D(off), round(S.uniform(5, 60), 1), st, S.choice(_DRV),
          st == "delivered" and S.random() < .6)
deliv("The Gilded Oyster", "L3104", D(-16), 22.0, "delivered", "Joanna Reyes", False)
deliv("Harbour Fish Shop", "L3108", D(-19), 31.5, "delivered", "Mick Tully", False)
deliv("Sushi Kumo", "L3111", D(-14), 18.0, "delivered", "Padraig Flynn", False)
deliv("Hotel Meridian", "L3105", (LM1 + timedelta(days=12)).isoformat(), 40.0, "delivered", "Mick Tully", True)
deliv("Brogan & Sons", "L3102", (LM1 + timedelta(days=21)).isoformat(), 27.5, "delivered", "Joanna Reyes", True)
deliv("Atlantic View Hotel", "L3134", D(0), 14.5, "planned", "Mick Tully", False)
deliv("Casa Lola", "L3136", D(0), 6.0, "planned", "Joanna Reyes", False)
deliv("The Salty Dog", "L3131", D(0), 24.0, "planned", "Padraig Flynn", False)
deliv("FreshMart Limerick", "L3133", D(1), 85.0, "planned", "Padraig Flynn", False)
deliv("Quay Street Bistro", "L3131", D(1), 12.0, "planned", "Mick Tully", False)
deliv("Casa Lola", "L3132", wk(1, 1), 15.0, "planned", "Joanna Reyes", False)
deliv("ValueFoods Cork", "L3135", wk(1, 2), 70.0, "planned", "Mick Tully", False)
deliv("Murphy's Seafood Counter", "L3137", D(-18), 35.0, "returned", "Padraig Flynn", False)

V = deliveries
went = [d for d in V if d["status"] == "delivered"]
notCx = [d for d in V if d["status"] != "cancelled"]
real = [d for d in V if d["status"] not in ("cancelled", "returned")]
species = lambda d: LOT[d["lot"]]["species"]
ctype = lambda d: CUS[d["customer"]]["customer_type"]
stock = [x for x in lots if x["status"] == "in stock"]
soon = [x for x in lots if between(x["use_by"], 0, 3)]
overdue = [d for d in V if not d["paid"] and d["due_date"] < D(0)]
lmD = [d for d in V if last_month(d["delivery_date"])]
tmD = [d for d in V if this_month(d["delivery_date"])]
corkNW = [d for d in V if in_week(d["delivery_date"], 1) and CUS[d["customer"]]["town"] == "Cork"]
rest = [d for d in V if ctype(d) == "restaurant"]
_big = sorted(V, key=lambda d: -d["invoice_total"])
assert _big[2]["invoice_total"] != _big[3]["invoice_total"]
_cheap = sorted(stock, key=lambda x: x["price_per_kg"])
_dear = sorted(lots, key=lambda x: -x["price_per_kg"])
assert _cheap[0]["price_per_kg"] != _cheap[1]["price_per_kg"] and _dear[0]["price_per_kg"] != _dear[1]["price_per_kg"]
hal = [x for x in lots if x["species"] == "Halibut" and x["price_per_kg"] > 20]
kgsum = lambda r: tot(r, "kg")
wsum = lambda r: tot(r, "weight_kg")

Q2 = [
    ("How many kilos of cod do we still have in stock?", val(wsum([x for x in stock if x["species"] == "Cod"]))),
    ("number of frozen lots", val(sum(x["is_frozen"] for x in lots))),
    ("what was landed last week", by([x for x in lots if in_week(x["landed_on"], -1)], "lot_number", "species")),
    ("Which lots go off in the next 3 days?",
     alts(*by(soon, "lot_number"), *by([x for x in soon if x["status"] == "in stock"], "lot_number"),
          *by([x for x in soon if x["status"] in ("in stock", "reserved")], "lot_number"))),
    ("spoiled lots please", by([x for x in lots if x["status"] == "spoiled"], "lot_number")),
    ("How many kilos came in at each port?", [group(lots, "port", wsum)]),
    ("average price per kilo for every kind of fish", [group(lots, "species", lambda r: avg(r, "price_per_kg"))]),
    ("What's the cheapest lot we have in stock, going by the kilo price?", by(_cheap[:1], "lot_number")),
    ("Which boat has landed the most weight overall?", [[[top(group(lots, "vessel", wsum))[0]]]]),
    ("lots nobody has inspected yet", by([x for x in lots if x["inspected_by"] is None], "lot_number")),
    ("halibut above 20 euros a kilo", by(hal, "lot_number")),
    ("Which lots aren't grade A?", by([x for x in lots if x["quality_grade"] != "A"], "lot_number")),
    ("customers in Galway", by([c for c in customers if c["town"] == "Galway"], "customer_name")),
    ("how many restaurants do we supply?", val(sum(c["customer_type"] == "restaurant" for c in customers),
                                               len({d["customer"] for d in rest}))),
    ("Which customers have no cold store of their own?", by([c for c in customers if not c["has_cold_store"]], "customer_name")),
    ("Who is over their credit limit?", by([c for c in customers if c["outstanding_balance"] > c["credit_limit"]], "customer_name")),
    ("Who do we talk to at The Salty Dog?", val(CUS["The Salty Dog"]["contact_person"])),
    ("how many days does Hotel Meridian get to pay", val(CUS["Hotel Meridian"]["payment_days"])),
    ("Which customers have been buying from us since before 2015?",
     by([c for c in customers if c["first_order_on"] < "2015"], "customer_name")),
    ("customers we have no email adress for", by([c for c in customers if c["email"] is None], "customer_name")),
    ("What do the supermarkets owe us in total?",
     val(tot([c for c in customers if c["customer_type"] == "supermarket"], "outstanding_balance"))),
    ("what's going out tomorrow", by([d for d in V if d["delivery_date"] == D(1)], "delivery_no", "customer", "lot")),
    ("Which deliveries are overdue for payment?",
     alts(*by(overdue, "delivery_no"), *by([d for d in overdue if d["status"] != "cancelled"], "delivery_no"),
          *by([d for d in overdue if d["status"] == "delivered"], "delivery_no"))),
    ("How much did we invoice last month?",
     val(tot(lmD, "invoice_total"), *[tot([d for d in lmD if d in s], "invoice_total") for s in (notCx, real, went)])),
    ("ok and how many runs has each driver got this month",
     alts(group(tmD, "driver"), *[group([d for d in tmD if d in s], "driver") for s in (notCx, real)])),
    ("top 3 deliveries by invoice value", by(_big[:3], "delivery_no")),
    ("Who is driving D-2047?", val(next(d["driver"] for d in V if d["delivery_no"] == "D-2047"))),
    ("any deliveries to Cork customers next week?",
     alts(*by(corkNW, "delivery_no", "customer"), *by([d for d in corkNW if d["status"] != "cancelled"], "delivery_no", "customer"))),
    ("What is the total invoiced to restaurants?",
     val(tot(rest, "invoice_total"), *[tot([d for d in rest if d in s], "invoice_total") for s in (notCx, real, went)])),
    ("kilos delivered of each species", alts(group(went, species, kgsum), group(V, species, kgsum),
                                             group(notCx, species, kgsum), group(real, species, kgsum))),
    ("Which customers haven't had a single delivery from us?",
     alts(*by([c for c in customers if not any(d["customer"] == c["customer_name"] for d in V)], "customer_name"),
          *by([c for c in customers if not any(d["customer"] == c["customer_name"] for d in went)], "customer_name"))),
    ("What temperature was the van at for delivery D-2004?", "none"),
    ("how big is the crew of the Morning Star", "none"),
    ("Which customers complained last month?", "none"),
    ("What do we pay Padraig Flynn per hour?", "none"),
]

SETS = [
    ("physiotherapy practice", {"patients": patients, "appointments": appointments, "therapists": therapists}, Q1),
    ("seafood wholesaler", {"lots": lots, "customers": customers, "deliveries": deliveries}, Q2),
]

if __name__ == "__main__":
    for name, cols, qs in SETS:
        print("#", name, {k: (len(v), len(v[0])) for k, v in cols.items()}, len(qs), sum(g == "none" for _, g in qs))
        for q, g in qs:
            assert g == "none" or (g and all(a and all(r and all(x not in (None, 0, []) or x is False for x in r)
                                                     for r in a) for a in g)), q
            print("-", q)
            for a in [] if g == "none" else g:
                print("     ", len(a), a)
