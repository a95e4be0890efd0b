"""Limits of people and groups, and what is counted for them."""

import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("auth", "0012_alter_user_first_name_max_length"),
        ("chatapp", "0008_figures"),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name="Usage",
            fields=[
                (
                    "person",
                    models.OneToOneField(
                        db_constraint=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        primary_key=True,
                        related_name="+",
                        serialize=False,
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
                ("minute_from", models.BigIntegerField()),
                ("prompts", models.IntegerField()),
                ("day", models.DateField(verbose_name="day")),
                ("day_tokens", models.BigIntegerField(verbose_name="tokens of the day")),
                ("month", models.DateField(verbose_name="month")),
                ("month_tokens", models.BigIntegerField(verbose_name="tokens of the month")),
                ("running", models.IntegerField(verbose_name="replies in the making")),
                ("reserved", models.BigIntegerField(verbose_name="tokens reserved")),
            ],
            options={
                "verbose_name": "use",
                "verbose_name_plural": "use",
                "ordering": ["-month", "-month_tokens"],
                "default_permissions": (),
            },
        ),
        migrations.AddField(
            model_name="message",
            name="prompt_estimate",
            field=models.PositiveIntegerField(default=0),
        ),
        migrations.AddField(
            model_name="message",
            name="reserved_tokens",
            field=models.PositiveIntegerField(blank=True, null=True),
        ),
        migrations.AddField(
            model_name="queued",
            name="refusal",
            field=models.JSONField(blank=True, null=True),
        ),
        migrations.CreateModel(
            name="Limit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "prompts_a_minute",
                    models.PositiveIntegerField(
                        blank=True, null=True, verbose_name="prompts a minute"
                    ),
                ),
                (
                    "parallel_replies",
                    models.PositiveIntegerField(
                        blank=True,
                        help_text="In all conversations together.",
                        null=True,
                        verbose_name="replies at a time",
                    ),
                ),
                (
                    "tokens_a_day",
                    models.PositiveBigIntegerField(
                        blank=True,
                        help_text="Of prompts and replies together; days are those of UTC.",
                        null=True,
                        verbose_name="tokens a day",
                    ),
                ),
                (
                    "tokens_a_month",
                    models.PositiveBigIntegerField(
                        blank=True, null=True, verbose_name="tokens a month"
                    ),
                ),
                (
                    "group",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to="auth.group",
                        verbose_name="group",
                    ),
                ),
                (
                    "user",
                    models.OneToOneField(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="+",
                        to=settings.AUTH_USER_MODEL,
                        verbose_name="person",
                    ),
                ),
            ],
            options={
                "verbose_name": "limit",
                "verbose_name_plural": "limits",
                "ordering": ["group__name", "user__username"],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("user", None), ("group", None), _connector="XOR"),
                        name="limit_of_a_person_or_a_group",
                        violation_error_message="Choose a person or a group, one of the two.",
                    )
                ],
            },
        ),
    ]
