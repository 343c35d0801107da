# From "enable a service" to "revoked, and the next call is refused". Usage: quickstart.py [Azure service-tags file]
import secrets
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import extlink
from extlink import Client, ExtLink, KeyRing, Refusal, Secret, access, catalog, feeds, grants, links, networks, services

SCOPE, URI = "k:app_record:read", "https://global.consent.azure-apim.net/redirect"
tags = feeds.read_service_tags(Path([*sys.argv, f"{Path(__file__).parent}/ServiceTags_example.json"][1]).read_bytes())
inside, outside = (feeds.rows_of(tags, tag)[0].text.split("/")[0] for tag in ("AzureConnectors", "LogicApps"))
with TemporaryDirectory() as folder, extlink.SQLiteStorage(f"{folder}/links.db") as storage:
    people = extlink.InMemoryDirectory()
    people.add_organization("sales", name="営業部")
    people.add_user("sato", display_name="佐藤 昇", organizations=["sales"], products={"kintone"})
    keys = KeyRing({"k1": Secret(secrets.token_hex(32))}, current="k1")
    tenant = ExtLink(storage, keys=keys, directory=people).open_tenant("acme", edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin", roles={"common_administrator"}, address="203.0.113.7")
    sato, client = tenant.acting_as("sato"), Client("power-automate", pkce="waived_for_confidential_client")
    admin.run(services.register(catalog.POWER_AUTOMATE))
    admin.run(services.enable("power-automate"))
    admin.run(grants.allow("power-automate", organizations=["sales"]))
    consent = sato.run(links.begin("power-automate", client=client, redirect_uri=URI, scopes=SCOPE))
    yes = consent if isinstance(consent, Refusal) else sato.run(links.accept(consent))
    tokens = yes if isinstance(yes, Refusal) else tenant.run(links.redeem(yes.code, client=client, redirect_uri=URI))
    if isinstance(tokens, Refusal):
        sys.exit(f"refused: {tokens.reasons}")
    for event, who, operation, address in (
        ("Power Automate is enabled for 営業部, and Sato (佐藤 昇) has connected it", sato, links.of("sato"), inside),
        ("The administrator lets in the office alone", admin, networks.restrict(["203.0.113.0/24"]), inside),
        ("The published ranges are let in", admin, networks.add(feeds.rows_of(tags, "AzureConnectors")), inside),
        ("Another service calls with the same token", admin, networks.show(), outside),
        (f"Sato's page: {sato.run(links.of('sato'))[0].state}. Sato ends it", sato, links.revoke(tokens.link), inside),
    ):
        who.run(operation)
        decision = tenant.run(access.check(tokens.access_token, scope=SCOPE, address=address))
        print(f"{event}.\n    A call from {address} is {'allowed' if decision else 'refused'}.")
        for why in decision.reasons:
            print(f"    {why.code}: {why.text()} {why.remedy.text()}\n    {why.text('ja')}{why.remedy.text('ja')}")
