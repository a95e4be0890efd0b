"""Addresses → views."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from chatapp.admin.operations.health import health as endpoint_health
from chatapp.admin.operations.live import cancel, live
from chatapp.admin.operations.usage import usage, usage_csv
from chatapp.views import (
    actions,
    attachments,
    conversations,
    demo,
    health,
    library,
    messages,
    own_data,
    presets,
    prompts,
    settings,
    sharing,
    transfer,
)
from chatapp.views.oversight import oversight
from chatapp.views.preferences import preferences

handler400 = "chatapp.views.failures.bad_request"
handler500 = "chatapp.views.failures.server_error"

urlpatterns = [
    path("", conversations.home, name="home"),
    path("c/<uuid:conversation_id>/", conversations.show, name="conversation"),
    path("c/<uuid:conversation_id>/messages/", actions.send, name="send"),
    path("c/<uuid:conversation_id>/queue/<slug:action>/", actions.change_queue, name="queue"),
    path("prompts/", prompts.index, name="prompts"),
    path("prompts/new/", prompts.new, name="new-prompt"),
    path("prompts/create/", prompts.create, name="create-prompt"),
    path("prompts/matching/", prompts.matching, name="matching-prompts"),
    path("prompts/<int:prompt_id>/", prompts.show, name="prompt"),
    path("prompts/<int:prompt_id>/text/", prompts.text, name="prompt-text"),
    path("prompts/<int:prompt_id>/change/", prompts.change, name="change-prompt"),
    path("prompts/<int:prompt_id>/delete/", prompts.delete, name="delete-prompt"),
    path("c/<uuid:conversation_id>/part/", conversations.part, name="part"),
    path("search/", library.find, name="search"),
    path("conversations/", library.index, name="conversations"),
    path("conversations/<slug:action>/", library.change, name="change"),
    path("c/<uuid:conversation_id>/rename/", library.rename, name="rename"),
    path("c/<uuid:conversation_id>/settings/", settings.save, name="save-settings"),
    path("c/<uuid:conversation_id>/preset/", settings.apply, name="apply-preset"),
    path("presets/", presets.index, name="presets"),
    path("presets/new/", presets.show, name="new-preset"),
    path("presets/new/save/", presets.save, name="save-new-preset"),
    path("presets/<int:preset_id>/", presets.show, name="preset"),
    path("presets/<int:preset_id>/save/", presets.save, name="save-preset"),
    path("presets/<int:preset_id>/delete/", presets.delete, name="delete-preset"),
    path("messages/<uuid:message_id>/", messages.show_message, name="message"),
    path("messages/<uuid:message_id>/markdown/", messages.markdown, name="markdown"),
    path("messages/<uuid:message_id>/edit-form/", messages.edit_form, name="edit-form"),
    path("messages/<uuid:message_id>/elsewhere/", messages.elsewhere, name="elsewhere"),
    path("messages/<uuid:message_id>/reason/", messages.reason_form, name="reason-form"),
    path("messages/<uuid:message_id>/fork/", actions.fork, name="fork"),
    path("messages/<uuid:message_id>/<slug:action>/", actions.act_on, name="act"),
    path("c/<uuid:conversation_id>/share/", sharing.share, name="share"),
    path("links/", sharing.links, name="links"),
    path("s/<slug:token>/", sharing.shared, name="shared"),
    path("s/<slug:token>/revoke/", sharing.revoke, name="revoke"),
    path("s/<slug:token>/copy/", sharing.copy, name="copy-shared"),
    path("c/<uuid:conversation_id>/export.<slug:kind>", transfer.export, name="export"),
    path("export.zip", transfer.export_all, name="export-all"),
    path("imports/", transfer.imports, name="imports"),
    path("imports/new/", transfer.upload, name="upload"),
    path("imports/<uuid:import_id>/", transfer.show_import, name="import"),
    path("attachments/", attachments.add, name="attach"),
    path("attachments/unsent/", attachments.unsent, name="unsent"),
    path("attachments/<uuid:attachment_id>/", attachments.show, name="attachment"),
    path("attachments/<uuid:attachment_id>/discard/", attachments.discard, name="discard"),
    path("your-data/", own_data.show, name="own-data"),
    path("your-data/delete-all/", own_data.delete_all, name="delete-all"),
    path("your-data/bring-back/", own_data.bring_back, name="bring-back"),
    path("your-data/leave/", own_data.leave, name="leave"),
    path("your-data/left/", own_data.left, name="left"),
    path("preferences/", preferences, name="preferences"),
    path("oversight/", oversight, name="oversight"),
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("metrics", health.metrics, name="metrics"),
    path("demo/<str:token>/", demo.enter, name="demo"),
    path("admin/running/", live, name="running"),
    path("admin/running/cancel/", cancel, name="cancel-reply"),
    path("admin/health/", endpoint_health, name="endpoint-health"),
    path("admin/usage/", usage, name="usage"),
    path("admin/usage.csv", usage_csv, name="usage-csv"),
    path("admin/", admin.site.urls),
]
