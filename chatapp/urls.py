"""Addresses → views."""

from django.contrib import admin
from django.contrib.auth.views import LoginView, LogoutView
from django.urls import path

from chatapp.views import conversations, demo, health, library

urlpatterns = [
    path("", conversations.home, name="home"),
    path("c/<uuid:conversation_id>/", conversations.show, name="conversation"),
    path("c/<uuid:conversation_id>/messages/", conversations.send, name="send"),
    path("search/", library.find, name="search"),
    path("conversations/", library.index, name="conversations"),
    path("conversations/<slug:action>/", library.change, name="change"),
    path("c/<uuid:conversation_id>/rename/", library.rename, name="rename"),
    path("messages/<uuid:message_id>/", conversations.show_message, name="message"),
    path("messages/<uuid:message_id>/markdown/", conversations.markdown, name="markdown"),
    path("messages/<uuid:message_id>/edit-form/", conversations.edit_form, name="edit-form"),
    path("messages/<uuid:message_id>/fork/", conversations.fork, name="fork"),
    path("messages/<uuid:message_id>/<slug:action>/", conversations.act_on, name="act"),
    path("login/", LoginView.as_view(template_name="login.html"), name="login"),
    path("logout/", LogoutView.as_view(), name="logout"),
    path("healthz", health.healthz, name="healthz"),
    path("readyz", health.readyz, name="readyz"),
    path("demo/<str:token>/", demo.enter, name="demo"),
    path("admin/", admin.site.urls),
]
