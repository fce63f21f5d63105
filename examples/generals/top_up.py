"""A general who saves messengers: he sends two, and tops up with six more only if nobody came back.

Round 1: general 1, if he has the order, sends two messengers, and attacks whatever happens to them.
Round 2: general 2, if one of them arrives, sends two back.
Round 3: general 1, if neither of those arrives, sends six more.
General 2 attacks if any messenger at all has reached him.

  handfast generals odds exec:"python3 examples/generals/top_up.py" --capture 1/2

This is the mode `step`: all that the general remembers is in the state, so the lab can ask about any
round of any run in any order. docs/general-programs.md says what stands in each line.
"""

import json
import sys


def step(state, inbox, round):
    if state["general"] == 1:
        wave = {1: 2, 3: 0 if inbox else 6}.get(round, 0)
        return {"state": state, "outbox": ["attack"] * wave * state["order"], "attack": state["order"]}
    state["heard"] = state["heard"] or bool(inbox)
    answer = {"state": state, "outbox": ["we come"] * 2 * (round == 2 and state["heard"])}
    if round == 4:
        answer["attack"] = state["heard"]
    return answer


for line in sys.stdin:
    question = json.loads(line)
    body = question["body"]
    if body["type"] == "init":
        state = {"general": body["general"], "order": body["order"], "heard": False}
        answer = {"type": "init_ok", "mode": "step", "rounds": 3, "state": state}
    else:
        answer = {"type": "step_ok", **step(body["state"], body["inbox"], body["round"])}
    answer["in_reply_to"] = body["msg_id"]
    print(json.dumps({"src": question["dest"], "dest": question["src"], "body": answer}), flush=True)
