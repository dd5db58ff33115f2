"""Every call of pyodk that the API answers, with what comes back checked.

Usage: pyodk.py CONFIG BASE_URL FOLDER: the folder holds fmr.xlsx."""

import sys
import uuid
from pathlib import Path

from pyodk._endpoints.submission_attachments import SubmissionAttachmentService
from pyodk.client import Client
from pyodk.errors import PyODKError

config, base, folder = sys.argv[1], sys.argv[2], Path(sys.argv[3])


def check(what, got, want):
    if got != want:
        raise SystemExit(f"{what}: got {got!r}, want {want!r}")


def refused(what, call, status):
    try:
        call()
    except PyODKError as e:
        check(what, e.args[1].status_code, status)
        body = e.args[1].json()
        if not (body["message"] and int(body["code"]) == status):
            raise SystemExit(f"{what}: {body}")
        return
    raise SystemExit(f"{what}: it was let through")


with Client(config_path=config, cache_path=str(folder / "cache.toml")) as client:
    # Projects.
    projects = client.projects.list()
    check("projects", [p.id for p in projects], [1])
    check("project", client.projects.get(1).name, projects[0].name)

    # Forms: the operation's own, a new one, a new version, attachments.
    forms = client.forms.list()
    check("forms", [f.xmlFormId for f in forms], ["assessment", "event", "fmr", "fms", "presence", "screening"])
    check("form", client.forms.get("fmr").state, "open")
    # Beyond Central: the title in each language.
    check("titles", client.get("projects/1/forms/fmr").json()["titles"], {"en": "Flow Monitoring Registry", "fr": "Registre de suivi des flux", "ar": "سجل رصد التدفق"})
    if "<h:html" not in client.forms.get_xml("fmr"):
        raise SystemExit("no XForm")
    definition = (folder / "site.xlsx").read_bytes()
    made = client.forms.create(definition=definition, form_id="site", ignore_warnings=True)
    check("form created", (made.xmlFormId, made.version), ("site", "1"))
    check("form published", client.forms.get("site").publishedAt is not None, True)
    client.forms.update("site", attachments=[str(folder / "towns.csv")], version_updater=lambda v: v + ".1")
    check("version", client.forms.get("site").version, "1.1")
    client.forms.update("site", definition=str(folder / "site2.xlsx"), attachments=[str(folder / "towns.csv")])
    check("second definition", client.forms.get("site").version, "2")
    refused("bad form", lambda: client.forms.create(definition=(folder / "bad.xlsx").read_bytes(), form_id="bad"), 400)
    refused("no such form", lambda: client.forms.get("none"), 404)

    # Submissions.
    def xml(instance, name, count, deprecated="", photo=""):
        old = f"<deprecatedID>{deprecated}</deprecatedID>" if deprecated else ""
        return (
            f'<data id="site" version="2"><name>{name}</name><count>{count}</count><photo>{photo}</photo>'
            f"<person><age>7</age></person><person><age>8</age></person>"
            f"<meta><instanceID>{instance}</instanceID>{old}</meta></data>"
        )

    first = f"uuid:{uuid.uuid4()}"
    s = client.submissions.create(xml=xml(first, "Obock", 3, photo="p.jpg"), form_id="site")
    check("created", s.instanceId, first)
    again = client.submissions.create(xml=xml(first, "Obock", 3, photo="p.jpg"), form_id="site")
    check("the same again", again.instanceId, first)
    refused("other answers under the id", lambda: client.submissions.create(xml=xml(first, "Obock", 4), form_id="site"), 409)
    for n in range(5):
        client.submissions.create(xml=xml(f"uuid:{uuid.uuid4()}", f"Galafi {n}", n), form_id="site")
    check("listed", len(client.submissions.list(form_id="site")), 6)
    check("one", client.submissions.get(first, form_id="site").instanceId, first)

    # Attachments.
    files = SubmissionAttachmentService(session=client.session, default_project_id=1)
    check("missing", [(a.name, a.exists) for a in files.list(form_id="site", instance_id=first)], [("p.jpg", False)])
    photo = folder / "p.jpg"
    photo.write_bytes(b"\xff\xd8 a picture")
    check("uploaded", files.upload(str(photo), form_id="site", instance_id=first), True)
    check("there", [(a.name, a.exists) for a in files.list(form_id="site", instance_id=first)], [("p.jpg", True)])
    with_photo = client.submissions.create(
        xml=xml(f"uuid:{uuid.uuid4()}", "Yoboki", 2, photo="p.jpg"), form_id="site", device_id="laptop", attachments=[str(photo)]
    )
    check("sent with its photo", [a.exists for a in files.list(form_id="site", instance_id=with_photo.instanceId)], [True])

    # Edit, review, comment.
    second = f"uuid:{uuid.uuid4()}"
    client.submissions.edit(first, xml=xml(second, "Obock ville", 5, deprecated=first, photo="p.jpg"), form_id="site", comment="counted again")
    check("still one", len(client.submissions.list(form_id="site")), 7)
    check("its first id stays", first in [s.instanceId for s in client.submissions.list(form_id="site")], True)
    check("edited", client.submissions.get(first, form_id="site").reviewState, "edited")
    client.submissions.review(first, review_state="approved", form_id="site", comment="fine")
    check("approved", client.submissions.get(first, form_id="site").reviewState, "approved")
    comments = [c.body for c in client.submissions.list_comments(first, form_id="site")]
    check("comments", comments, ["fine", "counted again"])
    client.submissions.add_comment(first, "third", form_id="site")
    check("comment added", len(client.submissions.list_comments(first, form_id="site")), 3)
    refused("edit of what is not current", lambda: client.submissions.edit(first, xml=xml(f"uuid:{uuid.uuid4()}", "x", 1, deprecated=first), form_id="site"), 409)

    # Tables.
    table = client.submissions.get_table(form_id="site", count=True)
    check("rows", (table["@odata.count"], len(table["value"])), (7, 7))
    row = [r for r in table["value"] if r["__id"] == first][0]
    check("row", (row["name"], row["count"], row["__system"]["edits"], row["__system"]["reviewState"]), ("Obock ville", 5, 1, "approved"))
    check("filtered", len(client.submissions.get_table(form_id="site", filter="count gt 2")["value"]), 3)
    check("repeat", len(client.submissions.get_table(form_id="site", table_name="Submissions.person")["value"]), 14)
    check("expanded", len(client.submissions.get_table(form_id="site", expand="*", top=1)["value"][0]["person"]), 2)

    # App users.
    users = list(client.projects.create_app_users(["phone 1", "phone 2"], forms=["site"]))
    check("app users", [u.displayName for u in users], ["phone 1", "phone 2"])
    check("none twice", list(client.projects.create_app_users(["phone 1"])), [])
    r = client.session.get(f"key/{users[0].token}/projects/1/formList", headers={"X-OpenRosa-Version": "1.0"})
    check("its list of forms", (r.status_code, "<formID>site</formID>" in r.text), (200, True))

    # Entity lists and entities.
    lists = client.entity_lists.list()
    client.entity_lists.create(entity_list_name="shelter")
    check("entity lists", len(client.entity_lists.list()), len(lists) + 1)
    client.entity_lists.add_property(name="beds", entity_list_name="shelter")
    e = client.entities.create(label="North", data={"beds": "12"}, entity_list_name="shelter")
    client.entities.create_many(data=[{"label": "South", "beds": "4"}, {"label": "East", "beds": "9"}], entity_list_name="shelter")
    check("entities", len(client.entities.list(entity_list_name="shelter")), 3)
    changed = client.entities.update(e.uuid, entity_list_name="shelter", data={"beds": "14"}, base_version=1)
    check("entity changed", changed.currentVersion.data["beds"], "14")
    client.entities.merge(data=[{"label": "South", "beds": "5"}, {"label": "West", "beds": "1"}], entity_list_name="shelter", match_keys=["label"], delete_not_matched=False)
    beds = {r["label"]: r["beds"] for r in client.entities.get_table(entity_list_name="shelter")["value"]}
    check("merged", beds, {"North": "14", "South": "5", "East": "9", "West": "1"})
    check("entities filtered", len(client.entities.get_table(entity_list_name="shelter", filter="beds ge 9")["value"]), 2)
    client.entities.delete(e.uuid, entity_list_name="shelter")
    check("entity deleted", len(client.entities.list(entity_list_name="shelter")), 3)

    # The plain session: what ruODK and dashboards ask besides.
    got = client.session.get("projects/1/forms/site/submissions.csv.zip")
    check("zip", (got.status_code, got.content[:2]), (200, b"PK"))
    check("fields", client.session.get("projects/1/forms/site/fields").json()[0]["path"], "/name")
    check("audits", "entity.deleted" in [a["action"] for a in client.session.get("audits", params={"limit": 20}).json()], True)

print("every call of pyodk answered")
