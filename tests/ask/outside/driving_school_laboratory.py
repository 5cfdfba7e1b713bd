"""Two outsider test sets: a driving school (camelCase) and a hospital laboratory (snake_case)."""
from collections import Counter, defaultdict
from datetime import date, timedelta
from random import Random

SEED = 222


# ---------------------------------------------------------------- helpers
def _by(docs, *keys):
    """One alternative per key: the rows identified by that key."""
    return [[[d[k]] for d in docs] for k in keys]


def _uniq(values):
    out = []
    for v in values:
        if v not in out:
            out.append(v)
    return [[v] for v in out]


def _alts(*alts):
    out = []
    for a in alts:
        if a and a not in out:
            out.append(a)
    return out


def _n(*counts):
    return _alts(*[[[c]] for c in counts if c])


def _total(docs, key):
    return round(sum(d[key] for d in docs), 2)


def _mean(docs, key):
    vals = [d[key] for d in docs if d[key] is not None]
    return sum(vals) / len(vals)


def _rank(docs, key, n=1, low=False):
    s = sorted([d for d in docs if d[key] is not None], key=lambda d: d[key], reverse=not low)
    assert s[n - 1][key] != s[n][key], ("tie", key)
    return s[:n]


def _most(counter):
    (a, x), (_, y) = counter.most_common(2)
    assert x != y, ("tie", counter)
    return a


def _groups(counter):
    return [[k, v] for k, v in counter.items()]


def _last_month(today):
    end = today.replace(day=1) - timedelta(days=1)
    return end.replace(day=1), end


def _week(today, shift=0):
    start = today - timedelta(days=today.weekday()) + timedelta(weeks=shift)
    return start, start + timedelta(days=6)


def _between(docs, key, lo, hi):
    return [d for d in docs if d[key] is not None and lo.isoformat() <= d[key] <= hi.isoformat()]


# ---------------------------------------------------------------- driving school
def driving_school(today):
    r = Random(SEED)

    def day(off):
        return (today + timedelta(days=off)).isoformat()

    lm0, lm1 = _last_month(today)
    lw0, lw1 = _week(today, -1)

    instructors = [
        dict(instructorName=n, badgeNumber=b, badgeExpires=day(e), car=c, gearbox=g, ratePerHour=p, baseTown=t,
             hiredOn=h, takesNervousLearners=ner)
        for n, b, e, c, g, p, t, h, ner in [
            ("Gareth Pugh", 410233, 410, "Ford Fiesta", "manual", 38.0, "Dover", "2014-09-01", True),
            ("Kwame Mensah", 415870, 41, "Toyota Yaris", "automatic", 42.5, "Ashford", "2018-02-12", True),
            ("Lesley Hammond", 398114, 18, "Vauxhall Corsa", "manual", 36.5, "Folkestone", "2009-05-18", False),
            ("Irina Volkova", 433902, 690, "Toyota Corolla", "automatic", 44.0, "Dover", "2021-10-04", True),
            ("Darren Sykes", 440051, 233, "Peugeot 208", "manual", 35.0, "Hythe", "2023-03-20", False),
            ("Meera Joshi", 441716, 905, "Renault Clio", "manual", 37.0, "Ashford", "2022-06-13", True),
        ]]
    rate = {i["instructorName"]: i["ratePerHour"] for i in instructors}

    # name, status, test date, instructor
    E, T, B, P, D = "enrolled", "theory passed", "test booked", "passed", "dropped out"
    people = [
        ("Priya Nair", B, day(5), "Kwame Mensah"), ("Tom Ashworth", B, day(23), "Gareth Pugh"),
        ("Ellie Crouch", T, None, "Lesley Hammond"), ("Mohammed Siddiqui", E, None, "Irina Volkova"),
        ("Jack Penfold", B, day(11), "Gareth Pugh"), ("Sophie Lambert", P, (lm0 + timedelta(days=8)).isoformat(), "Meera Joshi"),
        ("Oskar Wilk", E, None, "Darren Sykes"), ("Chloe Beddows", T, None, "Kwame Mensah"),
        ("Aaron Tilley", D, None, "Darren Sykes"), ("Fatima Zahra", B, day(13), "Irina Volkova"),
        ("Callum Rudd", P, (lm0 + timedelta(days=19)).isoformat(), "Gareth Pugh"), ("Hannah Gosling", E, None, "Lesley Hammond"),
        ("Denise Okafor", T, None, "Kwame Mensah"), ("Ryan Castle", P, day(-140), "Lesley Hammond"),
        ("Yuki Tanaka", B, day(37), "Meera Joshi"), ("Liam Foster", E, None, "Gareth Pugh"),
        ("Grace Whitlock", T, None, "Meera Joshi"), ("Pavel Novak", D, None, "Lesley Hammond"),
        ("Amelia Shaw", P, day(-95), "Kwame Mensah"), ("Ben Drury", E, None, "Darren Sykes"),
        ("Niamh Kelly", T, None, "Gareth Pugh"), ("Samir Haddad", B, day(2), "Kwame Mensah"),
        ("Olivia Marsh", E, None, "Meera Joshi"), ("Keith Barlow", D, None, "Gareth Pugh"),
        ("Zoe Pritchard", T, None, "Irina Volkova"), ("Daniel Osei", P, day(-201), "Darren Sykes"),
        ("Imogen Vale", E, None, "Kwame Mensah"), ("Marcus Trent", T, None, "Darren Sykes"),
        ("Beatriz Lopes", B, day(29), "Lesley Hammond"), ("Harry Quill", T, None, "Gareth Pugh"),
    ]
    towns = ["Ashford", "Ashford", "Ashford", "Dover", "Dover", "Folkestone", "Folkestone", "Hythe", "Deal"]
    learners = []
    for k, (name, status, test, teacher) in enumerate(people):
        score = None
        if status in (T, B, P) or name == "Pavel Novak":
            score = r.randint(43, 50)
        if status == E:
            enrolled = day(-r.randint(2, 45))
        elif status == P:
            enrolled = day(-r.randint(320, 560))
        else:
            enrolled = day(-r.randint(60, 380))
        learners.append(dict(
            learnerNo=2101 + k, fullName=name, phone="07700 9%05d" % r.randint(10000, 99999), town=r.choice(towns),
            dateOfBirth=day(-r.randint(17 * 366, 29 * 366)), enrolledOn=enrolled, status=status, theoryScore=score,
            testDate=test, balanceDue=0.0 if r.random() < 0.35 else round(r.uniform(15, 340), 2), instructor=teacher))
    L = {d["fullName"]: d for d in learners}
    for name in ("Ryan Castle", "Olivia Marsh", "Zoe Pritchard"):
        L[name]["town"] = "Ashford"
    L["Keith Barlow"]["dateOfBirth"] = "1961-04-17"
    L["Liam Foster"]["enrolledOn"] = day(0)
    L["Denise Okafor"]["balanceDue"] = 187.5
    by_no = {d["learnerNo"]: d for d in learners}

    kinds = ["town driving", "town driving", "parking", "motorway", "night driving", "mock test"]
    raw = []

    def lesson(name, d, kind, state, minutes, paid, stars=None):
        t = L[name]["instructor"]
        raw.append((d, "%02d:%s" % (r.randint(8, 18), r.choice(["00", "15", "30"])), name, t, kind, state, minutes, paid, stars))

    # no lessons yet for these
    idle = {"Hannah Gosling", "Ben Drury", "Liam Foster", "Aaron Tilley", "Ryan Castle", "Amelia Shaw", "Daniel Osei"}
    pool = [p[0] for p in people if p[0] not in idle]
    current = [n for n in pool if L[n]["status"] in (E, T, B)]
    for k in range(46):
        off = r.choice([-1, -1, -1, 1]) * r.randint(2, 24)
        name = r.choice(pool if off < 0 else current)
        if off < 0:
            off *= 3
            state = r.choice(["completed"] * 6 + ["cancelled", "no-show"])
        else:
            state = r.choice(["scheduled"] * 7 + ["cancelled"])
        paid = state == "completed" and r.random() < 0.72
        stars = r.randint(2, 5) if state == "completed" and r.random() < 0.7 else None
        lesson(name, day(off), r.choice(kinds), state, r.choice([60, 60, 60, 90, 90, 120]), paid, stars)
    lesson("Priya Nair", day(1), "mock test", "scheduled", 60, False)
    lesson("Tom Ashworth", day(1), "motorway", "scheduled", 120, True)
    lesson("Grace Whitlock", day(1), "parking", "scheduled", 60, False)
    lesson("Chloe Beddows", lw0.isoformat(), "town driving", "completed", 60, True, 4)
    lesson("Denise Okafor", (lw0 + timedelta(days=3)).isoformat(), "parking", "completed", 90, False, 3)
    lesson("Imogen Vale", (lw0 + timedelta(days=4)).isoformat(), "town driving", "completed", 60, True, None)
    lesson("Oskar Wilk", (lm0 + timedelta(days=4)).isoformat(), "town driving", "no-show", 60, False)
    lesson("Harry Quill", (lm0 + timedelta(days=16)).isoformat(), "motorway", "no-show", 90, False)
    lesson("Marcus Trent", day(0), "motorway", "completed", 90, True, 5)
    for d, _, name, *_ in raw:  # nobody had a lesson before signing up
        first = (date.fromisoformat(d) - timedelta(days=3)).isoformat()
        L[name]["enrolledOn"] = min(L[name]["enrolledOn"], first)
    raw.sort(key=lambda x: (x[0], x[1], x[2]))
    lessons = [dict(lessonNo=70500 + k, learnerNo=L[name]["learnerNo"], instructor=t, lessonDate=d, startTime=st, kind=kind,
                    minutes=m, price=round(rate[t] * m / 60, 2), paid=paid, state=state, rating=stars)
               for k, (d, st, name, t, kind, state, m, paid, stars) in enumerate(raw)]

    # ------------------------------------------------------------ questions
    def who(docs):
        return _by(docs, "fullName", "learnerNo")

    def who_of(less):
        return who([d for d in learners if d["learnerNo"] in {x["learnerNo"] for x in less}])

    now = today.isoformat()
    march = date(today.year if today.month >= 3 else today.year - 1, 3, 1).isoformat()
    toyota = {i["instructorName"] for i in instructors if i["car"].startswith("Toyota")}
    dover = {i["instructorName"] for i in instructors if i["baseTown"] == "Dover"}
    done = [x for x in lessons if x["state"] == "completed"]
    motor = [x for x in lessons if x["kind"] == "motorway"]
    ashford = [x for x in lessons if by_no[x["learnerNo"]]["town"] == "Ashford"]
    kw = [x for x in _between(lessons, "lessonDate", lw0, lw1) if x["instructor"] == "Kwame Mensah"]
    dl = [x for x in lessons if x["instructor"] in dover]
    dl_done = [x for x in dl if x["state"] == "completed"]
    theory = defaultdict(list)
    for d in learners:
        if d["theoryScore"] is not None:
            theory[d["town"]].append(d["theoryScore"])
    live = [d for d in learners if d["status"] not in (P, D)]
    per = Counter(d["instructor"] for d in learners)
    per_live = Counter(d["instructor"] for d in live)
    kind_done = defaultdict(float)
    kind_paid = defaultdict(float)
    kind_all = defaultdict(float)
    for x in lessons:
        kind_all[x["kind"]] = round(kind_all[x["kind"]] + x["price"], 2)
        if x["state"] == "completed":
            kind_done[x["kind"]] = round(kind_done[x["kind"]] + x["price"], 2)
        if x["paid"]:
            kind_paid[x["kind"]] = round(kind_paid[x["kind"]] + x["price"], 2)

    q = [
        ("learners from Folkestone", who([d for d in learners if d["town"] == "Folkestone"])),
        ("who has their driving test in the next 14 days?", who(_between(learners, "testDate", today, today + timedelta(days=14)))),
        ("How much money do learners still owe us altogether?", _n(_total(learners, "balanceDue"))),
        ("what's the average theory score", _n(_mean(learners, "theoryScore"))),
        ("number of learners per instructor", _alts(_groups(per), _groups(per_live))),
        ("who owes us more than 200?", who([d for d in learners if d["balanceDue"] > 200])),
        ("how many completed lessons are still unpaid?", _n(sum(not x["paid"] for x in done))),
        ("who is our cheapest instructor", _by(_rank(instructors, "ratePerHour", low=True), "instructorName")),
        ("which learners have a lesson tomorrow?", who_of([x for x in lessons if x["lessonDate"] == day(1)])),
        ("learners without a theory score", who([d for d in learners if d["theoryScore"] is None])),
        ("what's Priya Nair's phone number", [[[L["Priya Nair"]["phone"]]]]),
        ("When is Tom Ashworth taking his driving test?", [[[L["Tom Ashworth"]["testDate"]]]]),
        ("which car does Gareth Pugh drive", [[["Ford Fiesta"]]]),
        ("and how much does Denise Okafor still owe us?", [[[187.5]]]),
        ("who is teaching Yuki Tanaka", [[["Meera Joshi"]]]),
        ("how many no shows did we have last month?",
         _n(sum(x["state"] == "no-show" for x in _between(lessons, "lessonDate", lm0, lm1)))),
        ("top 3 learners by outstanding balance", who(_rank(learners, "balanceDue", 3))),
        ("which town do most of our learners come from?", [[[_most(Counter(d["town"] for d in learners))]]]),
        ("who signed up since March", who([d for d in learners if d["enrolledOn"] >= march])),
        ("whose badge runs out in the next 60 days?",
         _by(_between(instructors, "badgeExpires", today, today + timedelta(days=60)), "instructorName", "badgeNumber")),
        ("lessons completed so far this month, how many?", _n(len(_between(done, "lessonDate", today.replace(day=1), today)))),
        ("which instructors don't take nervous learners?",
         _by([i for i in instructors if not i["takesNervousLearners"]], "instructorName")),
        ("break down the learners by status", [_groups(Counter(d["status"] for d in learners))]),
        ("who passed their driving test last month?",
         who([d for d in _between(learners, "testDate", lm0, lm1) if d["status"] == P])),
        ("who's our oldest learner", who(_rank(learners, "dateOfBirth", low=True))),
        ("erm how many lesons did Kwame Mensah give last week",
         _n(len(kw), sum(x["state"] != "cancelled" for x in kw), sum(x["state"] == "completed" for x in kw))),
        ("how much did each kind of lesson bring in?", _alts(_groups(kind_all), _groups(kind_done), _groups(kind_paid))),
        ("which learners are taught in a Toyota?", who([d for d in learners if d["instructor"] in toyota])
         + who([d for d in live if d["instructor"] in toyota])),
        ("who has had a motorway lesson so far?",
         _alts(*who_of([x for x in motor if x["state"] == "completed"]), *who_of([x for x in motor if x["lessonDate"] <= now]))),
        ("total price of all lessons for learners living in Ashford", _n(_total(ashford, "price"))),
        ("number of completed lessons with instructors based in Dover", _n(len(dl_done))),
        ("which learners wear glasses?", "none"),
        ("how many miles has each car got on the clock", "none"),
        ("what is Lesley Hammond's email address", "none"),
        ("who came to us through a friend's recommendation?", "none"),
    ]
    return "driving school", {"learners": learners, "lessons": lessons, "instructors": instructors}, q


# ---------------------------------------------------------------- hospital laboratory
def hospital_lab(today):
    r = Random(SEED + 1)

    def day(off):
        return (today + timedelta(days=off)).isoformat()

    lm0, lm1 = _last_month(today)
    w0, w1 = _week(today)

    analysers = [
        dict(analyser_name=n, manufacturer=m, department=dp, serial_no=s, purchase_date=pd, purchase_price=pp,
             next_service_due=day(ns), in_use=u, tests_per_hour=c, responsible_person=rp)
        for n, m, dp, s, pd, pp, ns, u, c, rp in [
            ("Cobas 6000", "Roche", "Chemistry", "RX-20817", "2017-11-06", 148500.0, -9, True, 1000, "Marta Lindqvist"),
            ("Architect c8000", "Abbott", "Chemistry", "AB-55120", "2020-04-22", 131200.0, 64, True, 1200, "Marta Lindqvist"),
            ("Sysmex XN-1000", "Sysmex", "Haematology", "SX-10934", "2021-09-14", 96400.0, 19, True, 100, "Owen Parry"),
            ("Advia 2120", "Siemens", "Haematology", "SI-77301", "2015-03-30", 82750.0, -4, False, 120, "Owen Parry"),
            ("Cobas e411", "Roche", "Immunology", "RX-31442", "2019-06-03", 61800.0, 27, True, 86, "Farida Rahmani"),
            ("ACL TOP 550", "Werfen", "Coagulation", "WF-48060", "2022-02-17", 74300.0, 151, True, 240, "Farida Rahmani"),
            ("GeneXpert IV", "Cepheid", "Microbiology", "CE-90215", "2023-01-25", 53900.0, 88, True, 4, "Julian Becker"),
            ("Clinitek Novus", "Siemens", "Urinalysis", "SI-80447", "2018-08-09", 27600.0, 203, True, 240, "Julian Becker"),
            ("Vitek 2", "bioMérieux", "Microbiology", "BM-66018", "2016-10-11", 68900.0, 112, False, 60, "Julian Becker"),
        ]]
    dept = {a["analyser_name"]: a["department"] for a in analysers}

    patients = """Harold Simms|Nadia Farouk|Eileen Braddock|Tomasz Zielinski|Joyce Abara|Peter Lovell|Rosa Delgado|Graham Tait
Sunita Rao|Colin Meadows|Ingrid Halvorsen|Desmond Clarke|Lucy Farrant|Omar Benali|Patricia Doyle|Stanley Hobbs|Wei Chen
Kirsty McNeil|Alfred Boateng|Margaret Yates|Jorge Pinto|Bethany Crane|Dmitri Sokolov|Ruth Adeyemi|Leonard Pike|Amina Yusuf
Clive Radford|Helga Brandt|Victor Mwangi|Dorothy Finch|Caitlin Rourke|Bernard Ames|Leila Karimi|Neil Strachan|Mabel Thorne
Ravi Menon|Sheila Grogan|Anton Dvorak|Gloria Stubbs|Edwin Falk""".replace("\n", "|").split("|")
    wards = ["Cardiology", "Cardiology", "Cardiology", "Maternity", "Oncology", "Oncology", "Emergency", "Emergency", "Paediatrics"]
    takers = ["Sister Joan Petrie", "Luis Ortega", "Luis Ortega", "Hayley Moss", "Bruno Keller"]
    reasons = {"S-1007": "haemolysed", "S-1017": "unlabelled tube", "S-1023": "insufficient volume", "S-1034": "leaked in transit"}
    offs = sorted([r.randint(4, 61) for _ in range(29)] + [0, 0, 1, 1, 1, 2, 2, 3, 3, 5, 8], reverse=True)
    samples = []
    off_of = {}
    for k, (name, off) in enumerate(zip(patients, offs)):
        no = "S-%d" % (1001 + k)
        kind = r.choice(["blood"] * 6 + ["urine"] * 2 + ["swab"])
        delay = 1 if off >= 1 and r.random() < 0.3 else 0
        if no in reasons:
            status = "rejected"
        elif k >= 37:
            status = "awaited" if k != 38 else "received"
        elif off <= 1:
            status = r.choice(["received", "in progress"])
        elif off <= 6:
            status = r.choice(["in progress", "completed"])
        else:
            status = "completed"
        rec = None if status == "awaited" else day(-off + delay)
        off_of[no] = off - delay
        samples.append(dict(
            sample_no=no, patient_name=name, ward=r.choice(wards), sample_type=kind, collected_on=day(-off), received_on=rec,
            collected_by=r.choice(takers), urgent=(k == 38 or r.random() < 0.25), status=status,
            rejection_reason=reasons.get(no), volume_ml=round(r.uniform(2, 10), 1) if kind != "swab" else round(r.uniform(0.5, 1.5), 1)))
    S = {s["sample_no"]: s for s in samples}

    panel = {  # test: unit, low, high, normal low, normal high, base cost, analysers
        "Potassium": ("mmol/L", 2.9, 6.1, 3.5, 5.3, 3.2, ["Cobas 6000", "Architect c8000"]),
        "Glucose": ("mmol/L", 3.1, 15.8, 3.9, 7.8, 2.9, ["Cobas 6000", "Architect c8000"]),
        "CRP": ("mg/L", 1.0, 140.0, 0.0, 10.0, 5.6, ["Cobas 6000", "Architect c8000"]),
        "Haemoglobin": ("g/L", 84, 172, 118, 165, 4.1, ["Sysmex XN-1000", "Sysmex XN-1000", "Advia 2120"]),
        "Troponin": ("ng/L", 2, 90, 0, 14, 17.5, ["Cobas e411"]),
        "INR": ("ratio", 0.8, 4.2, 0.8, 1.2, 6.3, ["ACL TOP 550"]),
        "Urine protein": ("mg/L", 20, 420, 0, 150, 2.4, ["Clinitek Novus"]),
        "MRSA PCR": ("Ct", 18, 40, 35, 40, 31.0, ["GeneXpert IV"]),
    }
    blood = ["Potassium", "Glucose", "CRP", "Haemoglobin", "Troponin", "INR"]
    test_results = []
    for s in samples:
        if s["status"] not in ("in progress", "completed"):
            continue
        names = (r.sample(blood, r.choice([1, 2, 2, 3])) if s["sample_type"] == "blood"
                 else ["Urine protein"] if s["sample_type"] == "urine" else ["MRSA PCR"])
        for t in names:
            unit, lo, hi, nlo, nhi, cost, machines = panel[t]
            v = round(r.uniform(lo, hi), 1)
            o = off_of[s["sample_no"]]
            o = o - 1 if o >= 2 and r.random() < 0.4 else o
            state = ("preliminary" if s["status"] == "in progress" and r.random() < 0.8
                     else r.choice(["final"] * 8 + ["corrected", "withdrawn"]))
            test_results.append(dict(
                result_no=88001 + len(test_results), sample_no=s["sample_no"], test_name=t, result_value=v, unit=unit,
                analyser=r.choice(machines), measured_on=day(-o), abnormal=not (nlo <= v <= nhi), state=state,
                validated_by=None if state == "preliminary" else r.choice(["Dr Helen Voss", "Dr Amir Nasser", "Dr Siobhan Kane"]),
                cost=round(cost * r.uniform(0.9, 1.25), 2)))
    test_results = test_results[:60]

    # ------------------------------------------------------------ questions
    def smp(docs):
        return _by(docs, "sample_no", "patient_name")

    def pat(res):
        return _uniq(S[x["sample_no"]]["patient_name"] for x in res)

    def test(name):
        return [x for x in test_results if x["test_name"] == name]

    now = today.isoformat()
    T = test_results
    runs = Counter(x["analyser"] for x in T)
    runs0 = Counter({a["analyser_name"]: 0 for a in analysers})
    runs0.update(runs)
    dept_cost = defaultdict(float)
    for x in T:
        dept_cost[dept[x["analyser"]]] = round(dept_cost[dept[x["analyser"]]] + x["cost"], 2)
    card_abn = [x for x in T if x["abnormal"] and S[x["sample_no"]]["ward"] == "Cardiology"]
    gl = _rank(test("Glucose"), "result_value")[0]
    urg = [s for s in samples if s["urgent"]]
    crp = [x for x in test("CRP") if x["result_value"] > 50]
    haem = [a for a in analysers if a["department"] == "Haematology"]
    vols = defaultdict(list)
    for s in samples:
        vols[s["sample_type"]].append(s["volume_ml"])
    onc = [x for x in T if S[x["sample_no"]]["ward"] == "Oncology"]
    roche = {a["analyser_name"] for a in analysers if a["manufacturer"] == "Roche"}

    q = [
        ("rejected samples", smp([s for s in samples if s["status"] == "rejected"])),
        ("why was sample S-1017 rejected?", [[["unlabelled tube"]]]),
        ("how many urgent samples came in this week?",
         _n(len(_between(urg, "received_on", w0, w1)), len(_between(urg, "collected_on", w0, w1)))),
        ("which samples haven't reached the lab yet", smp([s for s in samples if s["received_on"] is None])),
        ("samples per ward", [_groups(Counter(s["ward"] for s in samples))]),
        ("who took the most samples?", [[[_most(Counter(s["collected_by"] for s in samples))]]]),
        ("how many sampels do we have from Maternity", _n(sum(s["ward"] == "Maternity" for s in samples))),
        ("anything over 9 ml?", smp([s for s in samples if s["volume_ml"] > 9])),
        ("How many of the samples are not blood?", _n(sum(s["sample_type"] != "blood" for s in samples))),
        ("average volume for each type of sample", [[[k, sum(v) / len(v)] for k, v in vols.items()]]),
        ("urgent samples from Cardiology", smp([s for s in urg if s["ward"] == "Cardiology"])),
        ("blood samples collected last month, how many?",
         _n(sum(s["sample_type"] == "blood" for s in _between(samples, "collected_on", lm0, lm1)))),
        ("which ward is Victor Mwangi on?", [[[next(s["ward"] for s in samples if s["patient_name"] == "Victor Mwangi")]]]),
        ("which machines are overdue for a service", _by([a for a in analysers if a["next_service_due"] < now], "analyser_name", "serial_no")),
        ("what needs servicing in the next 30 days?",
         _by(_between(analysers, "next_service_due", today, today + timedelta(days=30)), "analyser_name", "serial_no")),
        ("analysers that are out of use", _by([a for a in analysers if not a["in_use"]], "analyser_name", "serial_no")),
        ("who looks after the Cobas 6000?", [[["Marta Lindqvist"]]]),
        ("serial number of the GeneXpert", [[["CE-90215"]]]),
        ("analysers bought before 2018", _by([a for a in analysers if a["purchase_date"] < "2018-01-01"], "analyser_name", "serial_no")),
        ("what did the haematology analysers cost us in total", _n(_total(haem, "purchase_price"))),
        ("top 3 most expensive analysers", _by(_rank(analysers, "purchase_price", 3), "analyser_name", "serial_no")),
        ("How many tests has each analyser run?", _alts(_groups(runs), _groups(runs0))),
        ("mean potassium value", _n(_mean(test("Potassium"), "result_value"))),
        ("Which patient had the highest glucose?", _alts([[S[gl["sample_no"]]["patient_name"]]])),
        ("how many results has nobody validated yet?", _n(sum(x["validated_by"] is None for x in T))),
        ("how much did the tests from last month cost altogether", _n(_total(_between(T, "measured_on", lm0, lm1), "cost"))),
        ("testing costs by department", [_groups(dept_cost)]),
        ("patients with a CRP above 50", [pat(crp)]),
        ("how many abnormal results were there for Cardiology patients?", _n(len(card_abn))),
        ("so like what's the total cost of the tests done for oncology", _n(_total(onc, "cost"))),
        ("number of abnormal results on Roche machines", _n(sum(x["abnormal"] and x["analyser"] in roche for x in T))),
        ("which patients are allergic to penicillin?", "none"),
        ("how many reagent kits are left in stock", "none"),
        ("which doctor ordered sample S-1012?", "none"),
        ("what temperature is the sample fridge at", "none"),
    ]
    return "hospital laboratory", {"samples": samples, "test_results": test_results, "analysers": analysers}, q


_TODAY = date.today()
SETS = [driving_school(_TODAY), hospital_lab(_TODAY)]


def _check(sets):
    for name, cols, qs in sets:
        assert len(qs) == 35, (name, len(qs))
        assert sum(g == "none" for _, g in qs) == 4, name
        for c, docs in cols.items():
            assert 6 <= len(docs) <= 60 and all(6 <= len(d) <= 11 for d in docs), (c, len(docs))
        for t, g in qs:
            assert g == "none" or (g and all(a and all(r and 0 not in r[:1] for r in a) for a in g)), (name, t, g)


if __name__ == "__main__":
    _check(SETS)
    for off in range(0, 760, 19):  # right whatever the day
        _check([driving_school(_TODAY + timedelta(days=off)), hospital_lab(_TODAY + timedelta(days=off))])
    for name, cols, qs in SETS:
        print("==", name, {c: len(d) for c, d in cols.items()})
        for t, g in qs:
            print("-", t, "\n     ", g)
