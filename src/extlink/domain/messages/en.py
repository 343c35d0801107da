# ruff: noqa: E501
# A sentence stays on one line, so that the three catalogues can be compared.
"""Reasons and remedies in English.

Rules: the words of the product's own English help (an organization is a *department*, a suspended user is *inactive*);
buttons in [ ]; nothing that only one edition has.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from extlink.domain.messages.codes import Message

__all__ = ["MESSAGES"]

MESSAGES: Final[Mapping[str, Message]] = MappingProxyType(
    {
        # The service gate.
        "service.enabled": Message("{service} is enabled."),
        "service.enabled_by_default": Message(
            "Nobody has configured {service}, and the default of this domain allows it."
        ),
        "service.unknown": Message(
            "{service} is not registered in this domain.",
            "Register {service} in this domain and set it to [Enabled]. Also check that the service id is spelt correctly.",
        ),
        "service.unidentified": Message(
            "The token does not belong to this domain, so the service cannot be identified."
        ),
        "service.not_in_edition": Message(
            "{service} is not offered in {edition}.",
            "There is no remedy: {service} cannot be used in this domain.",
        ),
        "service.product_missing": Message(
            "This domain does not use a product that {service} needs ({products}).",
            "Make at least one of these products available in this domain: {products}.",
        ),
        "service.unavailable": Message(
            "{service} is currently unavailable ({cause}).",
            "There is no remedy: {service} cannot be connected until it is offered again.",
        ),
        "service.not_enabled": Message(
            "{service} is not enabled in this domain.",
            "Open [Integrations] under System administration and set {service} to [Enabled].",
        ),
        "service.disabled": Message(
            "{service} is disabled in this domain.",
            "Open [Integrations] under System administration and set {service} to [Enabled].",
        ),
        "service.quarantined": Message(
            "{service} is under an emergency stop in this domain (cause: {cause}).",
            "Remove the cause, then lift the emergency stop of {service}. Connections that were ended do not come back: users must connect again.",
        ),
        "service.quarantined_everywhere": Message(
            "{service} is under an emergency stop in all domains (cause: {cause}).",
            "The system engineers must remove the cause and lift the emergency stop of {service}. Nothing can be done from within the domain.",
        ),
        "service.blocked_by_links": Message(
            "{service} has been set up or used in this domain, so it cannot be unregistered.",
            "Set {service} to [Disabled] instead, so that connections that ended stay ended.",
        ),
        "service.step_unknown": Message(
            "{service} has no step {step} that is done outside.",
            "Name a step of the definition of {service}.",
        ),
        # The user gate.
        "grant.user": Message("{user} is permitted to use {service} individually."),
        "grant.organization": Message(
            "{user} is permitted to use {service} through the department {organization} ({path})."
        ),
        "grant.group": Message("{user} is permitted to use {service} through the group {group}."),
        "grant.everyone": Message("Everyone is permitted to use {service}."),
        "grant.kept": Message(
            "The permission of {user} to use {service} was withdrawn, but existing connections were kept."
        ),
        "grant.not_applicable": Message(
            "The connection to {service} belongs to the domain and not to a user, so no user's permission is checked."
        ),
        "user.unidentified": Message("The token does not belong to this domain, so the user cannot be identified."),
        "user.unknown": Message(
            "There is no user {user}.",
            "Add {user} in User administration, or name a registered user.",
        ),
        "user.suspended": Message(
            "The user {user} is inactive.",
            "Set {user} to active in User administration. Connections that were ended on deactivation must be made again by the user.",
        ),
        "user.deleted": Message(
            "The user {user} has been deleted.",
            "There is no remedy: the deleted user {user} cannot be restored.",
        ),
        "user.product_missing": Message(
            "The operation {scope} needs {product}, which {user} may not use.",
            "Allow {user} to use {product} in User administration.",
        ),
        "grant.missing": Message(
            "{user} is not permitted to use {service}.",
            "Under [Configure users] on the Integrations screen, permit {service} to {user}, or to a department or group that {user} belongs to.",
        ),
        "grant.over": Message(
            "The permission of {user} to use {service} ended at {until}.",
            "Under [Configure users] on the Integrations screen, extend the period in which {user} may use {service}.",
        ),
        "grant.scope_not_granted": Message(
            "{user} is permitted to use {service}, but not the operation {scope}.",
            "Ask for the operation {scope}, or under [Configure users] on the Integrations screen permit {service} to {user} without a limit.",
        ),
        "grant.excluded": Message(
            "{user} is excluded from using {service} (excluded: {by}).",
            "Under [Configure users] on the Integrations screen, remove the exclusion ({by}).",
        ),
        "directory.unavailable": Message(
            "Users and departments cannot be looked up, so permissions cannot be checked.",
            "The system engineers must restore the user directory. Then try again.",
        ),
        "membership.unknown": Message(
            "It is not known which departments and groups {user} belonged to then, and the use of {service} depends on it.",
            "Ask again with the users and departments as they were then, from a copy of the user directory of that day.",
        ),
        # The network gate.
        "network.allow_all": Message("The IP address restrictions of this domain allow all addresses."),
        "network.row": Message(
            "{address} is allowed by the row {row} of the IP address restrictions (memo: {memo}; source: {source})."
        ),
        "network.proof": Message("{address} is allowed because the user has passed {proof}."),
        "network.published": Message(
            "{address} is in {row}, one of the published IP addresses of {service} (source: {source}; version: {version})."
        ),
        "network.not_applicable": Message("IP address restrictions do not apply to this operation."),
        "network.address_unknown": Message(
            "IP address restrictions are on, but the address of the access is not known.",
            "The system engineers must pass the address from which the access comes.",
        ),
        "network.address_invalid": Message(
            "The address of the access, {address}, is malformed ({problem}).",
            "The system engineers must pass the address from which the access comes in the correct form.",
        ),
        "network.address_not_allowed": Message(
            "{address} is not allowed by the IP address restrictions.",
            "Allow a range that contains {address} in the IP address restrictions. If a service makes the access, allow the addresses that the service publishes.",
        ),
        "network.deny_all": Message(
            "The IP address restrictions deny all addresses, so {address} has no access.",
            "Change the IP address restrictions to [Allow specific IP addresses] and allow a range that contains {address}.",
        ),
        "network.not_published": Message(
            "{address} is not one of the published IP addresses of {service} (source: {source}; version: {version}).",
            "If {service} has published a newer list, set its published IP addresses anew. Otherwise the access does not come from {service}: disconnect the connection that was used.",
        ),
        "network.ranges_unknown": Message(
            "Access must come from the published IP addresses of {service}, but these are not set.",
            "Set the published IP addresses of {service}, or no longer require them.",
        ),
        # The data group gate.
        "datagroup.no_policy": Message("No data policy applies."),
        "datagroup.same_group": Message("The connectors of the flow are in the same data group ({connectors})."),
        "datagroup.flow_unknown": Message(
            "The connectors of the flow are not known, so its data groups cannot be checked.",
            "The system engineers must pass all connectors that the flow uses.",
        ),
        "datagroup.not_applicable": Message("Data groups do not apply to this operation."),
        "datagroup.blocked": Message(
            "The connector {connector} is blocked by data policies ({policies}).",
            "Ask the Power Platform administrator to put the connector {connector} into the same data group as the flow's other connectors in these data policies: {policies}.",
        ),
        "datagroup.mixed": Message(
            "The data policy {policy} does not let business connectors ({business}) and non-business connectors ({non_business}) be used in one flow.",
            "Ask the Power Platform administrator to put all connectors of the flow into the same data group in the data policy {policy}.",
        ),
        "datagroup.action_blocked": Message(
            "Data policies ({policies}) block the action {action} of the connector {connector}.",
            "Ask the Power Platform administrator to allow the action {action} of the connector {connector} in these data policies: {policies}. If that is not possible, take it out of the flow.",
        ),
        "datagroup.endpoint_denied": Message(
            "Data policies ({policies}) deny the connector {connector} the endpoint {endpoint}.",
            "Ask the Power Platform administrator to allow the endpoint {endpoint} for the connector {connector} in these data policies: {policies}. If that is not possible, take it out of the flow.",
        ),
        # The link gate.
        "link.live": Message("The connection {link} is in use."),
        "link.not_asked": Message("No token was presented, so no connection was checked."),
        "link.missing": Message(
            "{user} has not connected {service}.",
            "Start the connection from {service} and click [Allow] on the confirmation screen.",
        ),
        "link.revoked": Message(
            "The connection {link} was disconnected by {by}.",
            "To go on using the service, connect again from the service.",
        ),
        "link.ended": Message(
            "The connection {link} has ended (cause: {cause}).",
            "Make sure with the administrator that the cause is settled, then connect again from the service.",
        ),
        "link.suspended": Message(
            "The connection {link} is suspended.",
            "Remove what suspends it, for example by enabling the service or activating the user. The connection then resumes without connecting again.",
        ),
        "link.not_redeemed": Message(
            "The connection {link} was allowed, but the service has not fetched its tokens yet.",
            "Finish connecting in the service. If that does not succeed, connect again.",
        ),
        "link.expired": Message(
            "The connection {link} has expired.",
            "Connect again from the service.",
        ),
        "link.dormant": Message(
            "The connection {link} was not used for {days} days and is over.",
            "Connect again from the service.",
        ),
        "token.unknown": Message(
            "The token was not issued by this domain, or it no longer exists.",
            "Connect again from the service.",
        ),
        "token.expired": Message(
            "The access token of the connection {link} has expired.",
            "The service must fetch a new access token with its refresh token. If it cannot, connect again.",
        ),
        "token.superseded": Message(
            "The token of the connection {link} has been replaced by a newer one.",
            "The service must use the token it received last. If that does not help, connect again.",
        ),
        "token.wrong_kind": Message(
            "Expected {expected}, but got {kind}.",
            "Ask the vendor of the service to use {expected}.",
        ),
        "token.wrong_audience": Message(
            "The audience of the token does not match ({audience}).",
            "Ask the vendor of the service to use a token that is meant for this domain.",
        ),
        "token.wrong_client": Message(
            "The token was issued to another OAuth client.",
            "Ask the vendor of the service to use the tokens that were issued to it.",
        ),
        "scope.not_covered": Message(
            "The operation {scope} is not among the permitted operations of the connection ({granted}).",
            "Connect again from the service and allow the operation {scope}.",
        ),
        "scope.unknown": Message(
            "{service} has no operation {scope}.",
            "The system engineers must name another operation or add {scope} to the definition of {service}.",
        ),
        "scope.not_requested": Message(
            "The check does not name the operation it is for.",
            "The system engineers must name the operation that each check is for.",
        ),
        "code.used": Message(
            "The authorization code of the connection {link} has already been used.",
            "Connect again from the service.",
        ),
        "code.expired": Message(
            "The authorization code of the connection {link} has expired.",
            "Connect again from the service.",
        ),
        "code.redirect_mismatch": Message(
            "The redirect endpoint differs from the one of the authorization request.",
            "Ask the vendor of the service to name the same redirect endpoint as in the authorization request.",
        ),
        "code.verifier_missing": Message(
            "The code_verifier that the authorization code needs is missing.",
            "Ask the vendor of the service to send the code_verifier that belongs to the code_challenge of the authorization request.",
        ),
        "code.verifier_mismatch": Message(
            "The code_verifier does not match the code_challenge of the authorization request.",
            "Ask the vendor of the service to send the code_verifier that belongs to the code_challenge of the authorization request.",
        ),
        "code.verifier_unexpected": Message(
            "A code_verifier was sent, although the authorization request had no code_challenge.",
            "Ask the vendor of the service to send a code_challenge with the authorization request.",
        ),
        "refresh.scope_wider": Message(
            "The refresh asked for operations that are not permitted ({scope}).",
            "Ask the vendor of the service to request permitted operations only. To permit more operations, connect again.",
        ),
        "refresh.other_request": Message(
            "The same refresh token was used again with other operations or another audience.",
            "Ask the vendor of the service to repeat the request exactly as it was made before.",
        ),
        "refresh.reused": Message(
            "A refresh token of the connection {link} that had already been used was used again, so the connection was ended for safety.",
            "If you cannot explain this, tell your administrator. To go on using the service, connect again from the service.",
        ),
        "refresh.expired": Message(
            "The refresh token of the connection {link} has expired.",
            "Connect again from the service.",
        ),
        # Operations.
        "actor.not_permitted": Message(
            "The operation {operation} is not permitted to the person who asked for it. It is permitted to: {roles}.",
            "Ask a person with one of these roles to do it: {roles}.",
        ),
        "actor.not_owner": Message(
            "The connection {link} does not belong to the person who asked.",
            "Let its owner do it, or ask an administrator.",
        ),
        "tenant.not_open": Message(
            "The domain {tenant} has not been opened.",
            "The system engineers must open the domain {tenant} with its edition and products.",
        ),
        "tenant.opened_differently": Message(
            "The domain {tenant} was already opened with another edition or other products.",
            "The system engineers must name the edition and products with which the domain {tenant} was opened.",
        ),
        "tenant.incomplete": Message(
            "Only a part of the domain {tenant} is stored: removing it, or moving it here, has not been finished.",
            "The system engineers must finish removing or moving the domain {tenant} before they open it.",
        ),
        "tenant.moved_on": Message(
            "Something has changed in the domain {tenant} since the change was previewed.",
            "Preview the change again, and save it if it still does what you want.",
        ),
        "version.stale": Message(
            "Somebody else has changed {what} meanwhile.",
            "Display the current state, make your change again and save it.",
        ),
        "save.too_large": Message(
            "At most {limit} changes can be saved at once, but there are {count}.",
            "Permit a department or group instead, or save at most {limit} changes at a time.",
        ),
        "request.already_granted": Message(
            "{user} is already permitted to use {service}; there is nothing to ask for."
        ),
        "request.unknown": Message(
            "There is no open request of {user} for {service}.",
            "Display the open requests again. Perhaps another administrator has answered this one.",
        ),
        "request.expired": Message(
            "The request of {user} for {service} is over, since it was not answered in time.",
            "Ask for {service} again.",
        ),
        "request.too_many": Message(
            "There are already {limit} open requests in this domain, as many as there can be.",
            "Answer open requests, then ask again.",
        ),
        "record.too_large": Message(
            "This is too large to be saved: {what}.",
            "Shorten it, or save it in several parts.",
        ),
        "subject.unknown": Message(
            "{kind} {id} was not found.",
            "Display the current list and choose an entry that exists.",
        ),
        "consent.unknown": Message(
            "The confirmation of the connection is not valid.",
            "Start the connection from the service again.",
        ),
        "consent.expired": Message(
            "The confirmation screen of the connection was open for too long.",
            "Start the connection from the service again.",
        ),
        "consent.other_user": Message(
            "This confirmation screen was shown to another user.",
            "Log in with your own account and start the connection from the service again.",
        ),
        "consent.used": Message(
            "This confirmation screen has already been used.",
            "To connect once more, start again from the service.",
        ),
        "consent.other_session": Message(
            "This confirmation screen was opened in another session.",
            "Start the connection from the service again and answer in the same browser.",
        ),
        "authorization.malformed": Message(
            "The request of the service does not say which OAuth client it is from.",
            "Ask the vendor of the service to send client_id once, and redirect_uri at most once.",
        ),
        "authorization.redirect_uri": Message(
            "The redirect endpoint of the request is not registered for the OAuth client {client}.",
            "Compare the redirect endpoint that the service shows with the registered one, character by character, and register it exactly.",
        ),
        "authorization.scope": Message(
            "The OAuth client {client} may no longer ask for some of these operations.",
            "Connect the service again. If it needs these operations, permit them for the OAuth client.",
        ),
        "resource.not_granted": Message(
            "The tokens were asked for an audience that the connection was not permitted for.",
            "Ask the vendor of the service to name the audience of the first request, or none.",
        ),
        "client.unknown": Message(
            "There is no OAuth client {client} in this domain.",
            "Check the client id that is set in the service, or add the OAuth client.",
        ),
        "client.removed": Message(
            "The OAuth client {client}, which made this connection, was removed.",
            "Add an OAuth client for the service and connect again.",
        ),
        "client.another": Message(
            "The service and the kind of the OAuth client {client} cannot be changed.",
            "Add another OAuth client and remove this one.",
        ),
        "client.wrong_secret": Message(
            "The secret of the OAuth client is wrong, removed or expired.",
            "Set a current client secret in the service; an administrator can add one.",
        ),
        "client.wrong_method": Message(
            "The OAuth client authenticated in a way that is not permitted for it.",
            "Set in the service one of the ways that are permitted for this client.",
        ),
        "client.no_secrets": Message(
            "The OAuth client {client} does not authenticate with a secret.",
            "Permit a way to authenticate with a secret first, or use its keys.",
        ),
        "client.no_keys": Message(
            "The OAuth client {client} does not authenticate with keys.",
            "Permit private_key_jwt for it first.",
        ),
        "client.too_many_secrets": Message(
            "The OAuth client {client} has {limit} secrets already.",
            "Remove a secret that the service no longer uses, and add a new one then.",
        ),
        "client.unknown_secret": Message(
            "The OAuth client {client} has no secret {secret}.",
            "Reload the page: somebody else may have removed it.",
        ),
        "client.assertion_malformed": Message(
            "The client assertion cannot be read.",
            "Ask the vendor of the service to send a signed JWT with iss, sub, aud, exp and jti (RFC 7523).",
        ),
        "client.assertion_signature": Message(
            "The client assertion is not signed with a registered key.",
            "Register the public key that the service signs with.",
        ),
        "client.assertion_audience": Message(
            "The client assertion was made for another server.",
            "Ask the vendor of the service to name this issuer as the only audience.",
        ),
        "client.assertion_expired": Message(
            "The client assertion is over, or lives longer than ten minutes.",
            "Check the clock of the service, and let its assertions live for a few minutes.",
        ),
        "client.assertion_replayed": Message(
            "The client assertion has been used before.",
            "Ask the vendor of the service to make a new assertion for each request.",
        ),
        "client.too_many_assertions": Message(
            "The OAuth client has used too many assertions within a short time.",
            "Wait a few minutes. Ask the vendor of the service to keep its tokens instead of asking for new ones.",
        ),
        "link.unknown": Message(
            "There is no connection {link}.",
            "Display the current list. The connection may already have been disconnected.",
        ),
        "link.too_many": Message(
            "A user can have at most {limit} connections to {service}.",
            "Disconnect connections to {service} that are not used, then connect again.",
        ),
        "link.transition": Message(
            'The state of the connection {link} is "{state}", so "{event}" is not possible.',
            "Check the state of the connection. A connection that has ended does not come back: connect again.",
        ),
        "network.row_limit": Message(
            "In {edition} the IP address restrictions can hold {limit} rows, but there are {rows}.",
            "Merge adjacent ranges or delete rows that are not needed, so that at most {limit} rows remain.",
        ),
        "network.ipv4_only": Message(
            "In {edition} the IP address restrictions can hold IPv4 addresses only, but {range} was given.",
            "Leave out {range} and give IPv4 ranges only.",
        ),
        "network.not_self_service": Message(
            "In {edition} customers cannot set the IP address restrictions themselves.",
            "Ask the support of the product to set them.",
        ),
        "network.locks_out_actor": Message(
            "Once this is saved, the address of the person who saves it ({address}) has no access any more.",
            "Allow a range that contains {address} as well. Only if losing access is intended, say so explicitly and save.",
        ),
        "network.unknown_row": Message(
            "The IP address restrictions have no row {row}.",
            "Display the current list and choose a row that exists.",
        ),
        "network.proof_not_in_edition": Message(
            "{edition} does not have {proof}.",
            "Leave out {proof}. Only if the domain is of the US edition and has not been migrated yet, say so explicitly and save.",
        ),
        "network.proof_needs_restriction": Message(
            "The IP address restrictions allow all addresses, so {proofs} cannot be set.",
            "Change the IP address restrictions to [Allow specific IP addresses] or [Deny all] first.",
        ),
        "network.reset_unknown": Message(
            "The reset URL is not valid: it is wrong, too old, or the IP address restrictions have already been reset.",
            "Use the reset URL of a change that was saved within the last hour, or ask an administrator whose address is allowed.",
        ),
        "network.no_requirement": Message(
            "{service} has no requirement {requirement} that says which published addresses it needs (it has: {known}).",
            "Name one of the requirements of {service}, or register a definition of it that has one.",
        ),
        "network.data_missing": Message(
            "The files at hand do not have all lists that {requirement} names ({lists}), so what is needed is not known.",
            "Get the published files that have these lists, and name them too.",
        ),
        "network.plan_no_data": Message(
            "No published IP addresses are known for the service, so there is nothing to plan.",
            "Load the file in which the service publishes its IP addresses and plan again.",
        ),
        "network.plan_limit_unknown": Message(
            "It is not known how many rows the IP address restrictions can hold here, so no plan can be made.",
            "Ask the support of the product how many rows the IP address restrictions can hold.",
        ),
        "network.plan_ipv6_only": Message(
            "The service publishes IPv6 addresses only (such as {range}), but the IP address restrictions can hold IPv4 addresses only.",
            "Ask the support of the product how accesses from IPv6 addresses can be allowed.",
        ),
        "network.plan_not_global": Message(
            "{range} is among the published IP addresses, but it is not a range of global IP addresses.",
            "Check the file in which the service publishes its IP addresses, leave out {range}, and plan again.",
        ),
        "network.plan_rows": Message(
            "The IP address restrictions can hold {limit} rows and already have {rows}. To allow all published IP addresses, at least {fewest} more are necessary.",
            "Merge adjacent ranges or delete rows that are not needed, so that at least {fewest} rows are free.",
        ),
        "network.plan_opens_too_much": Message(
            "With the {rows} rows of the list, all published IP addresses can only be allowed by opening {extra} others as well; at most {most} were to be opened.",
            "Merge adjacent ranges or delete rows that are not needed, so that the plan can be finer, or allow more other IP addresses.",
        ),
        "datagroup.unblockable": Message(
            "The connector {connector} cannot be blocked, so the data policy {policy} cannot be saved.",
            "Put the connector {connector} into Business or Non-business.",
        ),
        "datagroup.unblockable_actions": Message(
            "The connector {connector} cannot be blocked and takes no rules on its actions, so the data policy {policy} cannot be saved.",
            "Remove the rules on the actions of the connector {connector}.",
        ),
        "datagroup.unknown_policy": Message(
            "There is no data policy {policy}.",
            "Display the current list and choose a data policy that exists.",
        ),
        "subscription.too_many": Message(
            "The connection {link} already has {limit} trigger subscriptions, as many as one can have.",
            "Remove triggers that are no longer needed, or disconnect and connect again.",
        ),
        "subscription.unknown": Message(
            "There is no trigger subscription {subscription}.",
            "The service must subscribe again. Subscriptions end together with their connection.",
        ),
        "subscription.trigger_unknown": Message(
            "{service} has no trigger {trigger}.",
            "The service must name a trigger from the definition of {service}.",
        ),
        "ledger.position_unknown": Message(
            "The audit log has no entry at position {position}.",
            "Choose a position that the audit log has.",
        ),
        # The checklist of a service.
        "readiness.available": Message("{service} is available in {edition}."),
        "readiness.definition_unknown": Message(
            "There is no definition of {service}, so whether it is available is not known.",
            "Register {service}.",
        ),
        "readiness.registered": Message("{service} is registered in this domain."),
        "readiness.no_user": Message(
            "No user is permitted to use {service} yet.",
            "Permit active users to use {service}: click [Configure users].",
        ),
        "readiness.covered": Message("All {count} published IP addresses of {service} are allowed (source: {source})."),
        "readiness.not_covered": Message(
            "{count} of the published IP addresses of {service} are not allowed ({percent}% are; source: {source}).",
            "Allow them in the IP address restrictions.",
        ),
        "readiness.not_pinned": Message(
            "{count} of the published IP addresses of {service} are not among those that its calls are held to.",
            "Set the published IP addresses of {service} anew, from the newer files.",
        ),
        "readiness.ranges_unknown": Message(
            "The IP addresses that {service} calls from are not known, so whether they are allowed is not known either.",
            "Name the files in which the vendor of {service} publishes its IP addresses.",
        ),
        "readiness.inexpressible": Message(
            "The IP address restrictions of {edition} can hold none of the published IP addresses of {service}.",
            "Ask the support of the product.",
        ),
        "readiness.partly_inexpressible": Message(
            "{count} of the published IP addresses are IPv6, which the IP address restrictions of {edition} cannot hold.",
            "Ask the support of the product, if the service connects by IPv6.",
        ),
        "readiness.data_old": Message(
            "The published IP addresses of {service} are {days} days old (they hold for {limit} days).",
            "Get the newer files from the vendor, and check again.",
        ),
        "readiness.data_undated": Message(
            "The day on which the IP addresses of {service} were published is not known.",
            "Get the newer files from the vendor, and check again.",
        ),
        "readiness.differs": Message("The requirement {other} names {count} IP addresses that {requirement} does not."),
        "readiness.two_factor": Message(
            "In {edition} the IP address restrictions must allow all addresses as soon as a user has two-factor authentication on mobile.",
            "Make sure that no user has two-factor authentication on mobile.",
        ),
        "readiness.client": Message("The OAuth client {client} can be used."),
        "readiness.client_unusable": Message(
            "The OAuth client {client} has no valid secret, or no redirect endpoint.",
            "Give the OAuth client {client} a secret and a redirect endpoint.",
        ),
        "readiness.no_client": Message(
            "No OAuth client is registered for {service}.",
            "Register an OAuth client for {service}, and enter its id and secret there.",
        ),
        "readiness.confirmed": Message("{user} confirmed the step {step} at {at}."),
        "readiness.seen": Message("A call succeeded at {at}, so the step {step} is done."),
        "readiness.unconfirmed": Message(
            "Whether the step {step} is done is not known.",
            "Do the step {step}, and confirm that it is done.",
        ),
        "readiness.connected": Message("{user} is connected with {service}."),
        "readiness.nobody_connected": Message(
            "Nobody is connected with {service} yet.",
            "Connect from {service}, and allow the operations.",
        ),
        "readiness.links_unseen": Message(
            "{service} has so many connections that only some were looked at; none of these works.",
            "Check again for one user.",
        ),
        "readiness.called": Message("A call of {service} succeeded at {at}."),
        "readiness.never_called": Message(
            "No call of {service} has been seen yet.",
            "Run a flow in {service}, and check again.",
        ),
    }
)
