"""Where an administrator sets who may do what."""

from django.contrib import admin
from django.contrib.auth.admin import UserAdmin

from accounts.models import SpendingPolicy, SubscriptionGrant, User

admin.site.register(User, UserAdmin)
admin.site.register(SpendingPolicy, list_display=["__str__", "max_hubs", "max_days", "max_monthly_cost"])
admin.site.register(SubscriptionGrant, list_display=["subscription_id", "group"])
