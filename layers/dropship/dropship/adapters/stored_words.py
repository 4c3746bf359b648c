"""Words of the stored formats: a zlib dictionary of what nearly every stored text contains.

They are pieces of a marketplace order, a case and an order in JSON. The most frequent come last, because zlib refers to
those with the fewest bits. A text that is not among them is stored too; it only takes more space.

Never change them: stored values can only be read with the words they were written with. Other words need a new format
(`stored_format`).
"""

_SOLD = (
    '{"shop":"","external_id":"","number":"#1","updated_at":"Z","placed_at":"Z","paid":true,"refunded":true,'
    '"cancelled_at":"Z","total":{"minor":1,"currency":"EUR"},"lines":[{"id":"","sku":"","title":"","quantity":1,'
    '"fulfillable":1,"unit_price":{"minor":1,"currency":"USD"}},{"id":"1","sku":"","title":"","quantity":2,'
    '"fulfillable":2,"unit_price":{"minor":1,"currency":"CNY"},"requires_shipping":false}],"refunds":[""],'
    '"chosen_shipping":"Standard Shipping"}'
)
_CASE = (
    '{"shop":"","id":"return-","order":"","kind":"refund","status":"WAIT_BUYER_RETURN","units":{"":1},'
    '"amount":{"minor":1,"currency":"USD"},"reason":"","opened_at":"Z","due_at":"Z","due_for":"RETURN_IN_TRANSIT",'
    '"decided_by":"","decision":"approve","words":"","task_token":"","timeline":[{"at":"Z","kind":"opened"},'
    '{"at":"Z","kind":"agree_refund","by":""},{"at":"Z","kind":"refund_ok"}]}'
)
_TROUBLE = (
    '"origin":"MAKE_UP","holds":[{"kind":"ADDRESS_MISSING","since":"Z","detail":"missing: address1, city"},{"kind":'
    '"NO_SOURCE","since":"Z","detail":"nobody offers "},{"kind":"SUPPLIER_REFUSED","since":"Z","detail":""}],'
    '"tasks":[{"kind":"ACKNOWLEDGE_LATE","since":"Z","detail":"","about":""},{"kind":"SHIP_LATE","since":"Z",'
    '"remedies":[{"case":"refund-","units":{"":1},"cancelled":{"":1},"outcome":"REFUNDED"}],"due_for":"REMINDER",'
    '"status":"DISPATCH_UNKNOWN","status":"PARTIALLY_SHIPPED","status":"CANCELLED","status":"COMPLETED",'
    '"cancel":"WANTED","reason":"","answer_promised":true,"never_placed":true,"followed":false,"writeback":"REFUSED",'
    '"unrouted":1,"cancelled":1,"returning":1,"returned":1,"lost":1,{"at":"Z","kind":"held","reason":"'
    '{"at":"Z","kind":"hold_released","reason":"ADDRESS_MISSING"},{"at":"Z","kind":"task_opened","task":"SHIP_LATE",'
    '"about":""},{"at":"Z","kind":"task_closed","task":"","about":"","by":""},{"at":"Z","kind":"cancellation_asked",'
    '"kind":"cancelled_at_supplier","purchase_order":"","kind":"case_ended","case":"refund-","outcome":"CANCELLED"},'
    '"kind":"refused","kind":"outcome_unknown","kind":"units_withdrawn","kind":"cancelled"},'
)
_UNDER_WAY = (
    '"status":"RECEIVED","fence":1,"status":"READY","status":"IN_FULFILMENT","units":{"ordered":1,"unrouted":1}},'
    '"units":{"ordered":2,"unrouted":2}},"units":{"ordered":1,"at_supplier":1}},"units":{"ordered":2,"at_supplier":2}},'
    '"units":{"ordered":1,"shipped":1,"in_transit":1}},"units":{"ordered":2,"shipped":2,"in_transit":2}},'
    '"status":"DISPATCHING","claimed_at":"Z","worker":"arn:aws:states:us-east-1:1:execution:daifa-prod-'
    'FulfilmentWorkflow:","lease_until":"Z","status":"DISPATCHED","status":"ACKED","due_at":"Z","due_for":"DISPATCH",'
    '"state":"IN_TRANSIT","last_stage":"PICKED_UP","last_stage":"IN_TRANSIT","writeback":"SENDING",'
)
_DELIVERED = (
    '{"shop":"","external_id":"","number":"#1","status":"SHIPPED","status":"DELIVERED","created_at":"Z",'
    '"source_version":"Z","recipient_digest":"","lines":[{"id":"","sku":"","units":{"ordered":1,"shipped":1,'
    '"delivered":1}},{"id":"1","sku":"","units":{"ordered":2,"shipped":2,"delivered":2}}],"purchase_orders":[{"id":"",'
    '"lines":[{"line":"","supplier_sku":"","quantity":1,"unit_cost":{"minor":1,"currency":"USD"}},{"line":"1",'
    '"supplier_sku":"","quantity":2,"unit_cost":{"minor":1,"currency":"USD"}}],"status":"SHIPPED","claimed_at":"Z",'
    '"supplier_reference":"","shipped":{"":1,"":2}}],"parcels":[{"purchase_order":"","carrier":"","number":"","lines":'
    '[{"line":"","quantity":1},{"line":"1","quantity":2}],"state":"DELIVERED","shipped_at":"Z","last_event_at":"Z",'
    '"last_stage":"DELIVERED","writeback":"DONE","writeback_at":"Z","fulfilment":"gid://shopify/Fulfillment/"}],'
    '"due_at":"Z","due_for":"COMPLETION","timeline":[{"at":"Z","kind":"received"},{"at":"Z","kind":"claimed",'
    '"purchase_order":""},{"at":"Z","kind":"placed","purchase_order":""},{"at":"Z","kind":"acknowledged",'
    '"purchase_order":""},{"at":"Z","kind":"shipped","carrier":"","number":""},{"at":"Z","kind":"all_shipped"},'
    '{"at":"Z","kind":"written_back","carrier":"","number":""},{"at":"Z","kind":"parcel_moved","carrier":"","number":"'
    '","status":"PICKED_UP"},{"at":"Z","kind":"parcel_moved","carrier":"","number":"","status":"IN_TRANSIT"},{"at":"Z",'
    '"kind":"parcel_moved","carrier":"","number":"","status":"OUT_FOR_DELIVERY"},{"at":"Z","kind":"parcel_moved",'
    '"carrier":"","number":"","status":"DELIVERED"},{"at":"Z","kind":"delivered"}]}'
)
WORDS_1 = (_SOLD + _CASE + _TROUBLE + _UNDER_WAY + _DELIVERED).encode()
