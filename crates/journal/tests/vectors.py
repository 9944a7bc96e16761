"""Makes vectors.json: commitments and envelopes computed without the project's code, from architecture and hashlib alone."""
import hashlib, json, os

def body_c(salt, body):
    return hashlib.sha256(b"entraide/body/v1" + salt + body).digest()

def entry(origin, salt, envelope, body_commitment):
    origin = origin.encode()
    return hashlib.sha256(b"entraide/statement/v1" + len(origin).to_bytes(2, "big") + origin + salt
                          + len(envelope).to_bytes(4, "big") + envelope + body_commitment).digest()

def optional(value):
    return b"\0" if value is None else b"\1" + value

def envelope(e):
    out = bytes([1, len(e["realm"])]) + e["realm"].encode() + bytes([e["lane"]]) + bytes.fromhex(e["thread"])
    out += e["version"].to_bytes(4, "big") + optional(e["previous"] and bytes.fromhex(e["previous"]))
    out += bytes.fromhex(e["audience"]) + e["audience_version"].to_bytes(4, "big") + bytes.fromhex(e["members"])
    if e["slot"] is None:
        out += b"\0"
    else:
        sequence, previous = e["slot"]
        out += b"\1" + sequence.to_bytes(8, "big") + optional(previous and bytes.fromhex(previous))
    return out + bytes([e["tlp"], e["pap"], e["media"]])

def members(origins):
    out = b"entraide/members/v1"
    for origin in sorted(origins):
        out += len(origin).to_bytes(2, "big") + origin.encode()
    return hashlib.sha256(out).hexdigest()

FR, EE = "entraide/FR/REAL/0123456789abcdef", "entraide/EE/EX-BLUE-26/fedcba9876543210/2"
SET = ["entraide/DE/REAL/00112233445566ff", "entraide/AT/REAL/ff66554433221100"]
CASES = [
    dict(origin=FR, realm="REAL", lane=1, thread="01" * 16, version=0, previous=None, audience="02" * 16, audience_version=1,
         members=members(SET), slot=[0, None], tlp=1, pap=0, media=1, body='{"type":"indicator"}'),
    dict(origin=FR, realm="REAL", lane=0, thread="03" * 16, version=2, previous="04" * 32, audience="05" * 16,
         audience_version=7, members=members(SET), slot=[41, "06" * 32], tlp=3, pap=4, media=2, body="é\n"),
    dict(origin=EE, realm="EX-BLUE-26", lane=1, thread="07" * 16, version=0, previous=None, audience="00" * 16,
         audience_version=0, members=members([]), slot=None, tlp=4, pap=3, media=1, body=""),
]
out = {"members": {"of": SET, "digest": members(SET)}, "statements": []}
for number, case in enumerate(CASES):
    salt_e, salt_b = bytes([16 + number]) * 32, bytes([32 + number]) * 32
    encoded, bc = envelope(case), body_c(salt_b, case["body"].encode())
    out["statements"].append({**case, "salt_e": salt_e.hex(), "salt_b": salt_b.hex(), "encoded": encoded.hex(),
                              "body_c": bc.hex(), "commitment": entry(case["origin"], salt_e, encoded, bc).hex()})
with open(os.path.join(os.path.dirname(os.path.abspath(__file__)), "vectors.json"), "w") as file:
    json.dump(out, file, indent=1)
    file.write("\n")
