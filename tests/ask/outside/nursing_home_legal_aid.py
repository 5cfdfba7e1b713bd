import random
from collections import defaultdict
from datetime import date, timedelta


# ---------------------------------------------------------------- helpers
def _iso(d):
    return d.isoformat()


def _month_start(d):
    return d.replace(day=1)


def _windows(today):
    w = {}
    monday = today - timedelta(days=today.weekday())
    w["this_week"] = (monday, monday + timedelta(days=6))
    w["last_week"] = (monday - timedelta(days=7), monday - timedelta(days=1))
    ms = _month_start(today)
    nxt = _month_start(ms + timedelta(days=32))
    w["this_month"] = (ms, nxt - timedelta(days=1))
    pe = ms - timedelta(days=1)
    w["last_month"] = (_month_start(pe), pe)
    # "since March", but early in the year or in March itself: "since November"
    w["since"] = (date(today.year, 3, 1) if today.month > 3 else date(today.year - 1, 11, 1), today)
    for n in (30, 90):
        w["last_%d" % n] = (today - timedelta(days=n), today)
    for n in (14, 60):
        w["next_%d" % n] = (today, today + timedelta(days=n))
    return {k: (_iso(a), _iso(b)) for k, (a, b) in w.items()}


def _in(v, win):
    return v is not None and win[0] <= v <= win[1]


def _rows(docs, key):
    return [[d[key]] for d in docs]


def _alts(*alts):
    """alternatives, without repeats"""
    out = []
    for a in alts:
        if a and a != [[0]] and a not in out:
            out.append(a)
    return out


def _one(v):
    return [[v]]


def _sum(docs, key):
    return round(sum(d[key] for d in docs), 2)


def _avg(docs, key):
    return sum(d[key] for d in docs) / len(docs)


def _group(docs, keyf, valf=None):
    g = defaultdict(float if valf else int)
    for d in docs:
        g[keyf(d)] += valf(d) if valf else 1
    return [[k, round(v, 2) if valf else v] for k, v in g.items()]


def _best(groups):
    """the winning group's name; unique or it is an error of this file"""
    top = max(v for _, v in groups)
    win = [k for k, v in groups if v == top]
    assert len(win) == 1, ("tie", win, top)
    return win[0]


def _top(docs, key, n=1, low=False):
    s = sorted(docs, key=lambda d: d[key], reverse=not low)
    assert len(s) == n or s[n - 1][key] != s[n][key], ("tie", key)
    return s[:n]


# ---------------------------------------------------------------- 1. nursing home
def nursing_home(today):
    rnd = random.Random(303)
    W = _windows(today)
    ago = lambda n: _iso(today - timedelta(days=n))
    on = lambda n: _iso(today + timedelta(days=n))

    staff = [dict(zip(("fullName", "jobTitle", "hiredOn", "hourlyRate", "shift", "phone", "town",
                       "firstAidCertified", "contractEnds"), r)) for r in [
        ("Ingrid Solberg", "Nurse", "2014-04-01", 29.50, "early", "555-0141", "Ashford", True, None),
        ("Daniel Mwangi", "Nurse", "2018-09-17", 27.80, "late", "555-0188", "Kingsbury", True, None),
        ("Priya Raman", "Nurse", "2022-02-14", 26.40, "night", "555-0123", "Ashford", True, None),
        ("Colm Brady", "Care assistant", "2019-06-03", 18.20, "early", None, "Kingsbury", False, None),
        ("Lucia Ferrante", "Care assistant", "2023-01-09", 17.10, "late", "555-0107", "Milton", True, on(41)),
        ("Tomasz Wilk", "Care assistant", "2016-11-21", 18.90, "night", "555-0165", "Ashford", False, None),
        ("Grace Adeyemi", "Care assistant", "2024-03-04", 16.75, "early", "555-0199", "Milton", True, on(19)),
        ("Oskar Lindqvist", "Physiotherapist", "2020-08-24", 31.60, "early", "555-0132", "Kingsbury", True, on(210)),
        ("Maureen Pike", "Cook", "2011-05-16", 17.95, "early", None, "Ashford", False, None),
        ("Yusuf Demir", "Cleaner", "2022-10-10", 14.80, "night", "555-0176", "Milton", False, on(132)),
    ]]

    residents = [dict(zip(("residentName", "roomNumber", "wing", "birthDate", "moveInDate", "careLevel",
                           "monthlyFee", "keyWorker", "usesWheelchair", "allergies"), r)) for r in [
        ("Beatrice Okafor", 14, "Lakeside", "1936-07-12", "2018-05-03", "high", 4620.0, "Ingrid Solberg", True, None),
        ("Harold Finch", 3, "Rosewood", "1941-01-30", "2021-09-20", "medium", 3480.0, "Daniel Mwangi", False, "penicillin"),
        ("Walter Simmons", 22, "Orchard", "1933-11-05", "2017-02-11", "high", 4550.0, "Priya Raman", True, "nuts"),
        ("Edith Carrow", 7, "Rosewood", "1938-03-19", "2019-12-02", "low", 2890.0, "Ingrid Solberg", False, None),
        ("Manuel Ortega", 15, "Lakeside", "1944-08-23", ago(47), "medium", 3395.0, "Daniel Mwangi", False, "shellfish"),
        ("Rosalind Hart", 24, "Orchard", "1930-02-08", "2016-08-15", "high", 3910.0, "Priya Raman", True, None),
        ("Stanley Kowalski", 5, "Rosewood", "1947-10-10", ago(12), "independent", 2350.0, "Ingrid Solberg", False, None),
        ("Agnes Thornbury", 18, "Lakeside", "1929-05-27", "2015-01-19", "high", 4875.0, "Ingrid Solberg", True, "penicillin"),
        ("George Papadakis", 9, "Rosewood", "1939-09-14", "2022-06-06", "medium", 3520.0, "Daniel Mwangi", True, None),
        ("Ivy Blackwood", 26, "Orchard", "1942-12-01", ago(160), "low", 2975.0, "Priya Raman", False, "nuts"),
        ("Leonard Marsh", 11, "Rosewood", "1935-04-04", "2020-10-26", "medium", 3610.0, "Ingrid Solberg", False, "latex"),
        ("Chiyo Tanaka", 19, "Lakeside", "1937-06-30", "2023-03-13", "low", 2840.0, "Daniel Mwangi", False, "shellfish"),
        ("Dorothy Quill", 2, "Rosewood", "1946-02-17", "2023-11-08", "independent", 2410.0, "Daniel Mwangi", False, None),
        ("Pierre Lacombe", 27, "Orchard", "1934-08-09", "2021-04-12", "high", 3985.0, "Priya Raman", True, "penicillin"),
        ("Nora Gallagher", 12, "Rosewood", "1940-11-22", "2022-01-31", "low", 2930.0, "Ingrid Solberg", False, "nuts"),
        ("Samuel Adler", 16, "Lakeside", "1931-12-15", "2019-03-25", "high", 4705.0, "Daniel Mwangi", True, None),
        ("Violet Penrose", 29, "Orchard", "1943-05-06", ago(83), "medium", 3440.0, "Priya Raman", False, None),
        ("Arthur Nwosu", 8, "Rosewood", "1938-10-28", "2020-07-14", "medium", 3575.0, "Ingrid Solberg", True, "lactose"),
        ("Greta Lindholm", 21, "Lakeside", "1945-03-03", "2023-08-21", "independent", 2480.0, "Daniel Mwangi", False, None),
        ("Cecil Farrow", 30, "Orchard", "1936-01-11", "2022-09-05", "medium", 3365.0, "Priya Raman", False, "latex"),
    ]]

    kinds = {"Nurse": ["wound care", "medication check", "blood pressure"],
             "Care assistant": ["bathing", "dressing", "mealtime help"],
             "Physiotherapist": ["physiotherapy"]}
    carers = [s for s in staff if s["jobTitle"] in kinds]
    never = {"Greta Lindholm", "Stanley Kowalski", "Dorothy Quill"}
    visited = [r["residentName"] for r in residents if r["residentName"] not in never]
    weights = [6 if n == "Agnes Thornbury" else 2 for n in visited]
    # (days from today): dense around now; never today itself, nor a 14 or 30 day boundary
    offs = [-1, -2, -3, -3, -4, -5, -6, -6, -7, -8, -8, -9, -10, -11, -12, -13, -15, -16, -17, -18, -20, -21, -22,
            -24, -25, -26, -27, -28, -29, -33, -35, -36, -38, -40, -41, -44, -46, -49, -51, -53, -56, -58,
            1, 2, 2, 3, 4, 5, 6, 7, 8, 9, 11, 12, 16, 18, 20, 23]
    offs.sort()
    careVisits = []
    for i, o in enumerate(offs):
        c = rnd.choice(carers)
        st = (rnd.choices(["done", "missed", "cancelled"], [70, 17, 13])[0] if o < 0
              else rnd.choices(["scheduled", "cancelled"], [85, 15])[0])
        minutes = rnd.choice([15, 20, 25, 30, 40, 45, 50, 60, 75])
        careVisits.append({
            "visitNo": "V-%d" % (1001 + i),
            "resident": rnd.choices(visited, weights)[0],
            "carer": c["fullName"],
            "visitDate": on(o),
            "kind": rnd.choice(kinds[c["jobTitle"]]),
            "minutes": minutes,
            "cost": round(minutes * c["hourlyRate"] / 60 + rnd.choice([0, 2.5, 4.2]), 2),
            "status": st,
            "familyPresent": rnd.random() < 0.45 and st == "done",
            "followUpOn": on(o + rnd.choice([7, 10, 21])) if st == "done" and rnd.random() < 0.4 else None,
        })

    since = "March" if today.month > 3 else "November"
    R = {r["residentName"]: r for r in residents}
    S = {s["fullName"]: s for s in staff}
    V = careVisits
    done = [v for v in V if v["status"] == "done"]
    sel = lambda docs, f: [d for d in docs if f(d)]
    names = lambda docs: _rows(docs, "residentName")
    vn = lambda docs: _rows(docs, "visitNo")
    sn = lambda docs: _rows(docs, "fullName")

    tm = sel(V, lambda v: _in(v["visitDate"], W["this_month"]))
    n14 = sel(V, lambda v: _in(v["visitDate"], W["next_14"]))
    ingrid = sel(V, lambda v: v["carer"] == "Ingrid Solberg")
    wheel = sel(V, lambda v: R[v["resident"]]["usesWheelchair"])
    night = sel(V, lambda v: S[v["carer"]]["shift"] == "night")
    isdone = lambda vs: sel(vs, lambda v: v["status"] == "done")
    lw = sel(V, lambda v: _in(v["visitDate"], W["last_week"]))
    seen = {v["resident"] for v in V}
    seenpast = {v["resident"] for v in V if v["visitDate"] < _iso(today)}
    seendone = {v["resident"] for v in done}

    Q = [
        ("who lives in the Lakeside wing?", _alts(names(sel(residents, lambda r: r["wing"] == "Lakeside")))),
        ("How many of our residents are in a wheelchair?",
         _alts(_one(len(sel(residents, lambda r: r["usesWheelchair"]))))),
        ("anyone allergic to nuts", _alts(names(sel(residents, lambda r: r["allergies"] == "nuts")))),
        ("Which residents have no known allergies?", _alts(names(sel(residents, lambda r: r["allergies"] is None)))),
        ("what do residents pay per month on average", _alts(_one(_avg(residents, "monthlyFee")))),
        ("Total monthly fees for each wing", _alts(_group(residents, lambda r: r["wing"], lambda r: r["monthlyFee"]))),
        ("Which resident pays us the most?", _alts(names(_top(residents, "monthlyFee")))),
        ("top 3 best paid employees", _alts(sn(_top(staff, "hourlyRate", 3)))),
        ("What room is Mrs Okafor in?", _alts(_one(R["Beatrice Okafor"]["roomNumber"]))),
        ("who looks after Harold Finch", _alts(
            _one(R["Harold Finch"]["keyWorker"]),
            [[n] for n in dict.fromkeys(v["carer"] for v in V if v["resident"] == "Harold Finch")])),
        ("when did Chiyo Tanaka come to live with us?", _alts(_one(R["Chiyo Tanaka"]["moveInDate"]))),
        ("visits last week", _alts(vn(lw), vn(isdone(lw)))),
        ("How many visits were missed in the last 30 days?", _alts(_one(len(sel(
            V, lambda v: v["status"] == "missed" and _in(v["visitDate"], W["last_30"])))))),
        ("what visits are coming up in the next 14 days", _alts(
            vn(sel(n14, lambda v: v["status"] == "scheduled")), vn(n14))),
        ("ok so how many minutes has Ingrid spent on visits altogether", _alts(
            _one(_sum(isdone(ingrid), "minutes")), _one(_sum(ingrid, "minutes")))),
        ("How many visits were there for each wing?", _alts(
            _group(V, lambda v: R[v["resident"]]["wing"]), _group(done, lambda v: R[v["resident"]]["wing"]),
            _group(sel(V, lambda v: v["visitDate"] < _iso(today)), lambda v: R[v["resident"]]["wing"]))),
        ("Who moved in before 2020?", _alts(names(sel(residents, lambda r: r["moveInDate"] < "2020-01-01")))),
        ("new residents since %s" % since, _alts(names(sel(residents, lambda r: _in(r["moveInDate"], W["since"]))))),
        ("who's our oldest resident", _alts(names(_top(residents, "birthDate", low=True)))),
        ("staff working nights", _alts(sn(sel(staff, lambda s: s["shift"] == "night")))),
        ("Which employees don't have first aid?", _alts(sn(sel(staff, lambda s: not s["firstAidCertified"])))),
        ("Whose contract runs out in the next 60 days?",
         _alts(sn(sel(staff, lambda s: _in(s["contractEnds"], W["next_60"]))))),
        ("high care residents paying less than 4000", _alts(names(sel(
            residents, lambda r: r["careLevel"] == "high" and r["monthlyFee"] < 4000)))),
        ("residants in Orchard who don't use a wheelchair", _alts(names(sel(
            residents, lambda r: r["wing"] == "Orchard" and not r["usesWheelchair"])))),
        ("visits over 45 minutes with the family there", _alts(
            vn(sel(V, lambda v: v["minutes"] > 45 and v["familyPresent"])))),
        ("How much do this month's visits cost us?", _alts(
            _one(_sum(tm, "cost")), _one(_sum(isdone(tm), "cost")),
            _one(_sum(sel(tm, lambda v: v["visitDate"] <= _iso(today)), "cost")),
            _one(_sum(sel(tm, lambda v: v["status"] in ("done", "scheduled")), "cost")))),
        # joins
        ("What is the phone number of the nurse in charge of Walter Simmons?",
         _alts(_one(S[R["Walter Simmons"]["keyWorker"]]["phone"]))),
        ("average length of a visit to someone in a wheelchair", _alts(
            _one(_avg(wheel, "minutes")), _one(_avg(isdone(wheel), "minutes")))),
        ("How many visits were done by people on the night shift?", _alts(
            _one(len(isdone(night))), _one(len(night)))),
        ("missed visits to high care residents", _alts(vn(sel(
            V, lambda v: v["status"] == "missed" and R[v["resident"]]["careLevel"] == "high")))),
        ("which residents have never had a visit", _alts(
            names(sel(residents, lambda r: r["residentName"] not in seen)),
            names(sel(residents, lambda r: r["residentName"] not in seendone)),
            names(sel(residents, lambda r: r["residentName"] not in seenpast)))),
        # the data cannot tell
        ("Who has had their flu jab?", "none"),
        ("what's for lunch tomorrow", "none"),
        ("How many sick days did Tomasz Wilk take?", "none"),
        ("which residents are diabetic", "none"),
    ]
    return ("nursing home", {"residents": residents, "careVisits": careVisits, "staff": staff}, Q)


# ---------------------------------------------------------------- 2. legal aid office
def legal_aid(today):
    rnd = random.Random(303)
    W = _windows(today)
    T = _iso(today)
    ago = lambda n: _iso(today - timedelta(days=n))
    on = lambda n: _iso(today + timedelta(days=n))

    clients = [dict(zip(("client_name", "town", "phone", "email", "registered_on", "monthly_income",
                         "household_size", "aid_granted", "preferred_language"), r)) for r in [
        ("Tomás Vieira", "Porto", "912 330 118", "tomas.vieira@mailbox.pt", "2021-03-15", 870.0, 3, True, "Portuguese"),
        ("Fatima Benali", "Braga", "913 220 745", "f.benali@mailbox.pt", "2022-10-04", 640.0, 5, True, "Arabic"),
        ("Joana Pires", "Porto", None, "joana.pires@correio.pt", "2019-06-21", 1420.0, 2, False, "Portuguese"),
        ("Oleksandr Hrytsenko", "Aveiro", "936 118 902", "o.hrytsenko@mailbox.pt", "2023-01-30", 795.0, 4, True, "Ukrainian"),
        ("Rui Magalhães", "Guimarães", "917 450 031", None, "2020-11-11", 2150.0, 4, False, "Portuguese"),
        ("Amina Diallo", "Porto", "935 661 204", "amina.diallo@correio.pt", ago(64), 560.0, 3, True, "French"),
        ("Carlos Teixeira", "Braga", "919 007 336", "cteixeira@correio.pt", "2018-02-27", 1310.0, 1, False, "Portuguese"),
        ("Nadia Haddad", "Aveiro", None, "nadia.haddad@mailbox.pt", ago(21), 845.0, 2, False, "Arabic"),
        ("Beatriz Lourenço", "Guimarães", "914 553 870", "bia.lourenco@correio.pt", "2022-05-18", 980.0, 2, True, "Portuguese"),
        ("Jean-Marc Dubois", "Porto", "931 204 559", "jm.dubois@mailbox.pt", "2023-09-12", 1765.0, 2, False, "French"),
        ("Helena Sequeira", "Braga", "916 872 440", None, "2019-12-09", 720.0, 6, True, "Portuguese"),
        ("Marta Figueira", "Porto", "918 335 627", "marta.figueira@correio.pt", "2024-02-06", 890.0, 1, False, "Portuguese"),
        ("Yevhen Koval", "Braga", None, "y.koval@mailbox.pt", ago(38), 610.0, 3, True, "Ukrainian"),
        ("Paulo Antunes", "Aveiro", "912 908 173", "paulo.antunes@correio.pt", "2021-08-02", 1195.0, 3, False, "Portuguese"),
        ("Sofia Rebelo", "Guimarães", "937 441 265", "sofia.rebelo@correio.pt", "2023-06-19", 1050.0, 4, True, "Portuguese"),
        ("Duarte Nogueira", "Braga", "933 719 084", None, ago(9), 930.0, 2, True, "Portuguese"),
    ]]
    idle = {"Duarte Nogueira", "Carlos Teixeira"}
    # matter_no, client, area, lawyer, opened, closed, stage, urgent, hearing, hours
    LA, LB, LC, LD = "Inês Carvalho", "Miguel Rocha", "Teresa Brandão", "André Salgado"
    M = [
        (201, "Joana Pires", "inheritance", LB, "2019-07-01", "2021-02-16", "closed", False, None, 41.5),
        (202, "Helena Sequeira", "family", LA, "2020-01-13", "2022-06-30", "closed", False, None, 63.0),
        (203, "Rui Magalhães", "debt", LC, "2020-11-23", None, "in court", False, on(26), 88.25),
        (204, "Tomás Vieira", "housing", LA, "2021-03-22", "2023-04-03", "closed", True, None, 37.0),
        (205, "Paulo Antunes", "debt", LD, "2021-08-16", None, "negotiation", False, None, 29.5),
        (206, "Beatriz Lourenço", "family", LA, "2022-05-30", None, "in court", True, on(6), 54.75),
        (207, "Fatima Benali", "immigration", LC, "2022-10-10", None, "in court", True, on(11), 71.0),
        (208, "Oleksandr Hrytsenko", "immigration", LC, "2023-02-06", ago(118), "closed", False, None, 33.5),
        (209, "Sofia Rebelo", "inheritance", LB, "2023-07-03", None, "negotiation", False, None, 22.0),
        (210, "Jean-Marc Dubois", "housing", LD, "2023-09-25", ago(34), "closed", False, None, 18.5),
        (211, "Tomás Vieira", "debt", LD, "2023-10-16", None, "negotiation", False, None, 15.25),
        (212, "Marta Figueira", "housing", LA, "2024-02-12", None, "in court", True, on(3), 47.0),
        (213, "Helena Sequeira", "housing", LA, "2024-03-11", None, "in court", False, on(45), 31.0),
        (214, "Joana Pires", "family", LB, "2024-05-06", None, "negotiation", False, None, 19.75),
        (215, "Fatima Benali", "family", LB, ago(190), None, "in court", False, on(17), 26.5),
        (216, "Paulo Antunes", "inheritance", LB, ago(171), ago(22), "closed", False, None, 12.0),
        (217, "Sofia Rebelo", "housing", LD, ago(140), None, "negotiation", True, None, 17.5),
        (218, "Rui Magalhães", "family", LC, ago(126), None, "in court", True, on(9), 39.0),
        (219, "Jean-Marc Dubois", "debt", LD, ago(97), None, "negotiation", False, None, 9.5),
        (220, "Oleksandr Hrytsenko", "housing", LA, ago(88), None, "negotiation", False, None, 14.0),
        (221, "Amina Diallo", "immigration", LC, ago(62), None, "in court", True, on(33), 23.0),
        (222, "Amina Diallo", "housing", LA, ago(55), None, "intake", True, None, 4.5),
        (223, "Yevhen Koval", "immigration", LC, ago(36), None, "intake", False, None, 6.0),
        (224, "Beatriz Lourenço", "debt", LD, ago(29), None, "intake", False, None, 3.25),
        (225, "Nadia Haddad", "family", LA, ago(19), None, "intake", True, None, 5.0),
        (226, "Marta Figueira", "debt", LC, ago(8), None, "intake", False, None, 1.5),
    ]
    matters = [dict(zip(("matter_no", "client", "area_of_law", "lawyer", "opened_on", "closed_on", "stage",
                         "urgent", "next_hearing", "hours_spent"), r)) for r in M]

    nos = [m["matter_no"] for m in matters]
    issued = sorted([-2, -3, -5, -6, -8, -9, -11, -13, -16, -18, -19, -21, -23, -26, -28, -33, -36, -39, -41, -44, -47,
                     -52, -55, -58, -63, -66, -71, -75, -79, -84, -90, -96, -103, -111, -118, -125, -133, -142, -151,
                     -163, 0])
    amounts = rnd.sample(range(90, 1300, 5), len(issued))
    invoices = []
    for i, o in enumerate(issued):
        due = o + 30  # 30 days to pay
        if o == 0:
            st = "sent"
        elif o > -15 and i % 3 == 0:
            st = "draft"
        elif due < 0:
            st = rnd.choices(["paid", "sent", "written off"], [55, 33, 12])[0]
        else:
            st = rnd.choices(["paid", "sent"], [40, 60])[0]
        paid = None
        if st == "paid":
            paid = min(-1, o + rnd.choice([4, 12, 18, 25, 33]))
        recent = [m["matter_no"] for m in matters if m["opened_on"] <= on(o)
                  and (m["closed_on"] is None or on(o - 40) <= m["closed_on"])]
        invoices.append({
            "invoice_no": 5001 + i,
            "matter_no": rnd.choice(recent),
            "issued_on": on(o),
            "due_date": on(due),
            "paid_on": on(paid) if paid is not None else None,
            "amount_eur": amounts[i] + 0.5 * (i % 2),
            "status": st,
            "payment_method": rnd.choice(["bank transfer", "card", "cash"]) if st == "paid" else None,
            "reminder_sent": st in ("sent", "written off") and due < 0 and rnd.random() < 0.6
                             or (st == "paid" and paid > due),
        })

    C = {c["client_name"]: c for c in clients}
    MM = {m["matter_no"]: m for m in matters}
    sel = lambda docs, f: [d for d in docs if f(d)]
    cn = lambda docs: _rows(docs, "client_name")
    mn = lambda docs: _rows(docs, "matter_no")
    inn = lambda docs: _rows(docs, "invoice_no")
    I = invoices
    sent = sel(I, lambda i: i["status"] == "sent")
    late = sel(sent, lambda i: i["due_date"] < T)
    late2 = sel(I, lambda i: i["paid_on"] is None and i["due_date"] < T)
    unpaid = sel(I, lambda i: i["paid_on"] is None)
    unpaid_nw = sel(unpaid, lambda i: i["status"] != "written off")
    nodraft = lambda docs: sel(docs, lambda i: i["status"] != "draft")
    openm = sel(matters, lambda m: m["stage"] != "closed")
    town = lambda i: C[MM[i["matter_no"]]["client"]]["town"]
    area = lambda i: MM[i["matter_no"]]["area_of_law"]
    lawyer = lambda i: MM[i["matter_no"]]["lawyer"]
    amt = lambda i: i["amount_eur"]
    paid = sel(I, lambda i: i["status"] == "paid")
    family = sel(matters, lambda m: m["area_of_law"] == "family")
    hous = sel(matters, lambda m: m["area_of_law"] == "housing" and m["urgent"])
    tm = sel(I, lambda i: _in(i["issued_on"], W["this_month"]))
    tv = sel(I, lambda i: MM[i["matter_no"]]["client"] == "Rui Magalhães")
    porto = sel(matters, lambda m: C[m["client"]]["town"] == "Porto")
    urg = lambda docs: sel(docs, lambda i: MM[i["matter_no"]]["urgent"])
    withm = {m["client"] for m in matters}
    rem = sel(I, lambda i: i["reminder_sent"] and i["paid_on"] is None)
    isopen = lambda docs: sel(docs, lambda m: m["stage"] != "closed")
    before24 = sel(matters, lambda m: m["opened_on"] < "2024-01-01")

    Q = [
        ("late invoices", _alts(inn(late), inn(late2))),
        ("How much money are we still owed?", _alts(
            _one(_sum(sent, "amount_eur")), _one(_sum(unpaid_nw, "amount_eur")), _one(_sum(unpaid, "amount_eur")),
            _one(_sum(nodraft(unpaid), "amount_eur")))),
        ("bills above 1100 euros", _alts(inn(sel(I, lambda i: i["amount_eur"] > 1100)))),
        ("client with the lowest income", _alts(cn(_top(clients, "monthly_income", low=True)))),
        ("who do we need an Arabic interpreter for?",
         _alts(cn(sel(clients, lambda c: c["preferred_language"] == "Arabic")))),
        ("Which clients have no phone number on file?", _alts(cn(sel(clients, lambda c: c["phone"] is None)))),
        ("how many cases are in court at the moment", _alts(_one(len(sel(matters, lambda m: m["stage"] == "in court"))))),
        ("How many open cases does each lawyer have?", _alts(_group(openm, lambda m: m["lawyer"]))),
        ("hearings in the next 14 days", _alts(mn(sel(matters, lambda m: _in(m["next_hearing"], W["next_14"]))))),
        ("when is the hearing for matter 218?", _alts(_one(MM[218]["next_hearing"]))),
        ("who is handling case 207", _alts(_one(MM[207]["lawyer"]))),
        ("How much did clients pay us last month?", _alts(_one(_sum(
            sel(I, lambda i: _in(i["paid_on"], W["last_month"])), "amount_eur")))),
        ("what have we billed so far this month, in total", _alts(
            _one(_sum(tm, "amount_eur")), _one(_sum(nodraft(tm), "amount_eur")) if nodraft(tm) else None)),
        ("Average hours spent on a family case", _alts(
            _one(_avg(family, "hours_spent")))),
        ("which case has eaten up the most hours", _alts(mn(_top(matters, "hours_spent")))),
        ("three biggest invoices", _alts(inn(_top(I, "amount_eur", 3)))),
        ("urgent housing cases", _alts(mn(hous), mn(isopen(hous)))),
        ("Which matters were opened before 2022?", _alts(mn(sel(matters, lambda m: m["opened_on"] < "2022-01-01")))),
        ("new clients in the last 90 days", _alts(cn(sel(clients, lambda c: _in(c["registered_on"], W["last_90"]))))),
        ("people earning under 1000 a month who did not get legal aid", _alts(cn(sel(
            clients, lambda c: c["monthly_income"] < 1000 and not c["aid_granted"])))),
        ("how many clients were granted aid?", _alts(_one(len(sel(clients, lambda c: c["aid_granted"]))))),
        ("average income of our clients per town", _alts([
            [t, _avg(sel(clients, lambda c: c["town"] == t), "monthly_income")]
            for t in dict.fromkeys(c["town"] for c in clients)])),
        ("whats Tomás Vieira's email", _alts(_one(C["Tomás Vieira"]["email"]))),
        ("How much did we write off altogether?",
         _alts(_one(_sum(sel(I, lambda i: i["status"] == "written off"), "amount_eur")))),
        ("invocies where we sent a reminder but still not paid", _alts(
            inn(rem), inn(sel(rem, lambda i: i["status"] == "sent")))),
        # joins
        ("all the cases of our Porto clients", _alts(mn(porto), mn(isopen(porto)))),
        ("Total invoiced per area of law", _alts(
            _group(I, area, amt), _group(nodraft(I), area, amt))),
        ("Which lawyer's cases have brought in the most money?", _alts(
            _one(_best(_group(paid, lawyer, amt))), _one(_best(_group(I, lawyer, amt))))),
        ("unpaid invoices on urgent matters", _alts(
            inn(urg(unpaid)), inn(urg(unpaid_nw)), inn(urg(sent)), inn(urg(nodraft(unpaid))))),
        ("um, what's the total we've invoiced Rui Magalhães", _alts(
            _one(_sum(tv, "amount_eur")), _one(_sum(nodraft(tv), "amount_eur")))),
        ("clients who have no case with us", _alts(cn(sel(clients, lambda c: c["client_name"] not in withm)))),
        # the data cannot tell
        ("Which judge is hearing matter 207?", "none"),
        ("what hourly rate does Miguel Rocha charge", "none"),
        ("how many cases did we win?", "none"),
        ("Who is on holiday next week?", "none"),
    ]
    return ("legal aid office", {"clients": clients, "matters": matters, "invoices": invoices}, Q)


def build(today):
    return [nursing_home(today), legal_aid(today)]


SETS = build(date.today())


if __name__ == "__main__":
    import sys
    for name, colls, qs in SETS:
        print("==", name, {k: (len(v), len(v[0])) for k, v in colls.items()}, len(qs), "questions",
              sum(g == "none" for _, g in qs), "none")
        for q, g in qs:
            print(" ", q)
            if g == "none":
                print("      none")
            for a in (g if g != "none" else []):
                print("      ", a)
    # no empty or zero gold on any day of the coming year, no ties
    if "--days" in sys.argv:
        for n in range(0, 366, 5):
            d = date.today() + timedelta(days=n)
            for name, colls, qs in build(d):
                for q, g in qs:
                    if g != "none" and (not g or any(r == [0] for a in g for r in a)):
                        print("EMPTY", d, q, g)
