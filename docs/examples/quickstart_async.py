# The story of quickstart.py for a host on asyncio. Usage: quickstart_async.py [Azure service-tags file]
import asyncio
import secrets
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

import extlink
from extlink import Client, KeyRing, Refusal, Secret, access, catalog, feeds, grants, links, networks, services

SCOPE, URI = "k:app_record:read", "https://global.consent.azure-apim.net/redirect"


async def tell(hub: extlink.AsyncExtLink, tags: feeds.PublishedRanges) -> None:
    inside, outside = (feeds.rows_of(tags, tag)[0].text.split("/")[0] for tag in ("AzureConnectors", "LogicApps"))
    tenant = await hub.open_tenant("acme", edition="JP", products={"kintone"})
    admin = tenant.acting_as("admin", roles={"common_administrator"}, address="203.0.113.7")
    sato, client = tenant.acting_as("sato"), Client("power-automate", pkce="waived_for_confidential_client")
    await admin.run(services.register(catalog.POWER_AUTOMATE))
    await admin.run(services.enable("power-automate"))
    await admin.run(grants.allow("power-automate", organizations=["sales"]))
    consent = await sato.run(links.begin("power-automate", client=client, redirect_uri=URI, scopes=SCOPE))
    if isinstance(consent, Refusal):
        sys.exit(f"refused: {consent.reasons}")
    agreed = await sato.run(links.accept(consent))
    if isinstance(agreed, Refusal):
        sys.exit(f"refused: {agreed.reasons}")
    tokens = await tenant.run(links.redeem(agreed.code, client=client, redirect_uri=URI))
    if isinstance(tokens, Refusal):
        sys.exit(f"refused: {tokens.reasons}")
    use = (await sato.run(links.of("sato")))[0]
    for event, who, operation, address in (
        ("Power Automate is enabled for 営業部, and Sato (佐藤 昇) has connected it", sato, links.of("sato"), inside),
        ("The administrator lets in the office alone", admin, networks.restrict(["203.0.113.0/24"]), inside),
        ("The published ranges are let in", admin, networks.add(feeds.rows_of(tags, "AzureConnectors")), inside),
        ("Another service calls with the same token", admin, networks.show(), outside),
        (f"Sato's page: {use.state}. Sato ends it", sato, links.revoke(tokens.link), inside),
    ):
        await who.run(operation)
        decision = await tenant.run(access.check(tokens.access_token, scope=SCOPE, address=address))
        print(f"{event}.\n    A call from {address} is {'allowed' if decision else 'refused'}.")
        for why in decision.reasons:
            print(f"    {why.code}: {why.text()} {why.remedy.text()}\n    {why.text('ja')}{why.remedy.text('ja')}")


async def main(folder: str, tags: feeds.PublishedRanges) -> None:
    people = extlink.InMemoryDirectory()
    people.add_organization("sales", name="営業部")
    people.add_user("sato", display_name="佐藤 昇", organizations=["sales"], products={"kintone"})
    directory = extlink.AsyncInMemoryDirectory(people)
    keys = KeyRing({"k1": Secret(secrets.token_hex(32))}, current="k1")
    with extlink.SQLiteStorage(f"{folder}/links.db") as file:
        async with extlink.ThreadedStorage(file) as storage:
            await tell(extlink.AsyncExtLink(storage, keys=keys, directory=directory), tags)


if __name__ == "__main__":
    path = sys.argv[1] if len(sys.argv) > 1 else Path(__file__).with_name("ServiceTags_example.json")
    with TemporaryDirectory() as scratch:
        asyncio.run(main(scratch, feeds.read_service_tags(Path(path).read_bytes())))
